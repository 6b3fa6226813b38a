import type { Grammar, Invocation } from "../command.ts";
import { choice } from "../flag.ts";
import { divertingFlags, inboundFlags } from "./inbound_flags.ts";

/** How `hawser exchange` is spelled. */
export const exchangeGrammar = {
  name: "exchange",
  summary: "answer all requests of a service with a program on this machine",
  description:
    "Puts an agent in front of the service: what comes to the exposed ports comes here, other ports go on to the original pods, and so does everything while this machine is away. SERVICE may also be a workload (deploy/api), whose service is found. Ctrl-C puts everything back. Connections that callers have open already stay with the original pods until they close them. For callers that find pods by their labels and not by the service (network policies, other services), --mode scale gives the agent the labels of the workload's pods and scales the workload to zero: all ports have to be exposed, one developer at a time can have it, and it cannot fall back by itself. While this machine is away, callers get 503 with your name, until the next exchange, mesh or preview of anybody in the namespace, or clean or recover, brings the pods back.",
  words: { usage: "SERVICE", least: 1, most: 1, complete: "target" },
  flags: {
    ...inboundFlags,
    mode: choice(
      ["selector", "scale"],
      "selector",
      "the service selects the agent instead of its pods, or the agent wears their labels and they are scaled to zero",
      { setting: false },
    ),
    ...divertingFlags,
  },
  examples: [
    { line: "hawser exchange orders --expose 8080", what: "the program on port 8080 answers for orders" },
    { line: "hawser exchange orders --expose 8080:http --expose 5005:9000", what: "two of its ports" },
    { line: "hawser exchange deploy/orders --expose 8080", what: "the service before a workload" },
    { line: "hawser exchange orders --expose 8080 --mode scale", what: "the pods make room, and come back at the end" },
  ],
} satisfies Grammar;

/** `hawser exchange`, read. */
export type ExchangeInvocation = Invocation<typeof exchangeGrammar.flags>;
