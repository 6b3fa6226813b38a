import type { Grammar, Invocation } from "../command.ts";

/** How `hawser help` is spelled. */
export const helpGrammar = {
  name: "help",
  summary: "explain hawser or one of its commands",
  description: "The same as hawser COMMAND --help.",
  words: { usage: "[COMMAND]", least: 0, most: 1, complete: "command" },
  flags: {},
  needsNoSettings: true,
  examples: [{ line: "hawser help connect", what: "all about connect" }],
} satisfies Grammar;

/** `hawser help`, read. */
export type HelpInvocation = Invocation<typeof helpGrammar.flags>;
