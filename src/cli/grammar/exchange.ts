import type { Grammar, Invocation } from "../command.ts";
import { divertingFlags, inboundFlags } from "./inbound_flags.ts";

/** How `hawser exchange` is spelled. */
export const exchangeGrammar = {
  name: "exchange",
  summary: "answer all requests of a service with a program on this machine",
  description:
    "Puts an agent in front of the service: what comes to the exposed ports comes here, other ports go on to the original pods, and so does everything while this machine is away. SERVICE may also be a workload (deploy/api), whose service is found. Ctrl-C puts everything back. Connections that callers have open already stay with the original pods until they close them.",
  words: { usage: "SERVICE", least: 1, most: 1, complete: "target" },
  flags: { ...inboundFlags, ...divertingFlags },
  examples: [
    { line: "hawser exchange orders --expose 8080", what: "the program on port 8080 answers for orders" },
    { line: "hawser exchange orders --expose 8080:http --expose 5005:9000", what: "two of its ports" },
    { line: "hawser exchange deploy/orders --expose 8080", what: "the service before a workload" },
  ],
} satisfies Grammar;

/** `hawser exchange`, read. */
export type ExchangeInvocation = Invocation<typeof exchangeGrammar.flags>;
