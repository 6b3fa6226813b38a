import type { Grammar, Invocation } from "../command.ts";
import { toggle } from "../flag.ts";

/** How `hawser disconnect` is spelled. */
export const disconnectGrammar = {
  name: "disconnect",
  summary: "end a running connect",
  description:
    "Ends the session of that name, or the only one there is, whether it runs in the background or in another terminal.",
  words: { usage: "[NAME]", least: 0, most: 1, complete: "session" },
  flags: { all: toggle("end all sessions", { setting: false }) },
  examples: [
    { line: "hawser disconnect", what: "the only session" },
    { line: "hawser disconnect dev", what: "the session named dev" },
    { line: "hawser disconnect --all", what: "every session of this user" },
  ],
} satisfies Grammar;

/** `hawser disconnect`, read. */
export type DisconnectInvocation = Invocation<typeof disconnectGrammar.flags>;
