import type { Grammar, Invocation } from "../command.ts";
import { toggle } from "../flag.ts";

/** How the completion scripts ask for candidates. */
export const completeGrammar = {
  name: "__complete",
  summary: "candidates for the last word of a command line",
  description: "",
  words: { usage: "-- WORD…", least: 0, most: Infinity, program: true },
  flags: {
    "new-word": toggle("a word begins after the last one; Windows PowerShell cannot pass an empty one", {
      setting: false,
    }),
  },
  examples: [],
  hidden: true,
  needsNoSettings: true,
} satisfies Grammar;

/** `hawser __complete`, read. */
export type CompleteInvocation = Invocation<typeof completeGrammar.flags>;
