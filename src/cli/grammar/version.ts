import { type Grammar, type Invocation, noWords } from "../command.ts";

/** How `hawser version` is spelled. */
export const versionGrammar = {
  name: "version",
  summary: "print the version of hawser and of what it runs on",
  description: "",
  words: noWords,
  flags: {},
  needsNoSettings: true,
  examples: [{ line: "hawser version -o json", what: "for scripts" }],
} satisfies Grammar;

/** `hawser version`, read. */
export type VersionInvocation = Invocation<typeof versionGrammar.flags>;
