import type { Grammar, Invocation } from "../command.ts";

/** How the completion scripts ask for candidates. */
export const completeGrammar = {
  name: "__complete",
  summary: "candidates for the last word of a command line",
  description: "",
  words: { usage: "-- WORD…", least: 0, most: Infinity, program: true },
  flags: {},
  examples: [],
  hidden: true,
} satisfies Grammar;

/** `hawser __complete`, read. */
export type CompleteInvocation = Invocation<typeof completeGrammar.flags>;
