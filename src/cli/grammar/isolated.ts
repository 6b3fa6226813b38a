import type { Grammar, Invocation } from "../command.ts";

/** How hawser starts itself inside the namespaces of an isolated program. */
export const isolatedGrammar = {
  name: "__isolated",
  summary: "the inside of run --isolate net",
  description: "",
  words: { usage: "FOLDER", least: 1, most: 1 },
  flags: {},
  examples: [],
  hidden: true,
  needsNoSettings: true,
} satisfies Grammar;

/** `hawser __isolated`, read. */
export type IsolatedInvocation = Invocation<typeof isolatedGrammar.flags>;
