import { type Grammar, type Invocation, noWords } from "../command.ts";
import { sessionFlag } from "./session_flag.ts";

/** How `hawser status` is spelled. */
export const statusGrammar = {
  name: "status",
  summary: "show what runs: sessions, their ports and their health",
  description:
    "Shows every running session of this user, or the one named by --session. Exits with 0 also when none runs.",
  words: noWords,
  flags: { ...sessionFlag },
  examples: [
    { line: "hawser status", what: "all sessions" },
    { line: "hawser status -o json", what: "the same for scripts" },
  ],
} satisfies Grammar;

/** `hawser status`, read. */
export type StatusInvocation = Invocation<typeof statusGrammar.flags>;
