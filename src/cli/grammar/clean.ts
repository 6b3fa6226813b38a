import { type Grammar, type Invocation, noWords } from "../command.ts";
import { toggle } from "../flag.ts";

/** How `hawser clean` is spelled. */
export const cleanGrammar = {
  name: "clean",
  summary: "put back every service whose developers are gone",
  description:
    "Finds what hawsers that died have left in the namespace, puts the services back and removes the rest. Whether somebody lives is told by watching whether they renew their Lease, which may take 40 seconds; nobody who lives is disturbed.",
  words: noWords,
  flags: {
    "dry-run": toggle("change nothing, only say what would be done", { setting: false }),
    "all-namespaces": toggle("look in every namespace", { short: "A", setting: false }),
  },
  examples: [
    { line: "hawser clean --dry-run", what: "who is gone, and what they left" },
    { line: "hawser clean -A", what: "in the whole cluster" },
  ],
} satisfies Grammar;

/** `hawser clean`, read. */
export type CleanInvocation = Invocation<typeof cleanGrammar.flags>;
