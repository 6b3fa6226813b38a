import type { Grammar, Invocation } from "../command.ts";
import { connectionFlags } from "./connection_flags.ts";
import { sessionFlag } from "./session_flag.ts";

/** How `hawser run` is spelled. */
export const runGrammar = {
  name: "run",
  summary: "run one program with the cluster within its reach",
  description:
    "Sets the variables by which programs find their proxy, starts the program with this terminal as its own, passes signals and its exit status on, and ends with it. Uses the session named by --session; without it, connects on its own.",
  words: { usage: "-- PROGRAM [ARGUMENT…]", least: 1, most: Infinity, program: true },
  flags: { ...connectionFlags, ...sessionFlag },
  examples: [
    { line: "hawser run -- curl http://orders:8080/", what: "one request" },
    { line: "hawser run -n dev -- npm start", what: "a program that sees namespace dev" },
    { line: "hawser run --session dev -- bash", what: "a shell wired to a running session" },
  ],
} satisfies Grammar;

/** `hawser run`, read. */
export type RunInvocation = Invocation<typeof runGrammar.flags>;
