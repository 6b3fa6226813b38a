import type { Grammar, Invocation } from "../command.ts";
import { toggle } from "../flag.ts";
import { givenBy } from "../idle_flags.ts";
import { idleForSessions } from "./connection_flags.ts";
import { sessionFlag } from "./session_flag.ts";

/** How `hawser disconnect` is spelled. */
export const disconnectGrammar = {
  name: "disconnect",
  summary: "end a running connect",
  description:
    "Ends the session of that name, or the only one there is, whether it runs in the background or in another terminal.",
  words: { usage: "[NAME]", least: 0, most: 1, complete: "session" },
  flags: { ...sessionFlag, all: toggle("end all sessions", { setting: false }) },
  idle: [
    idleForSessions,
    {
      flags: ["session"],
      reason: (given, [name]) =>
        name === undefined && !givenBy(given, "all")
          ? undefined
          : `names what ${name === undefined ? "--all" : `"${name}"`} names already: leave one out`,
    },
  ],
  examples: [
    { line: "hawser disconnect", what: "the only session" },
    { line: "hawser disconnect dev", what: "the session named dev" },
    { line: "hawser disconnect --all", what: "every session of this user" },
  ],
} satisfies Grammar;

/** `hawser disconnect`, read. */
export type DisconnectInvocation = Invocation<typeof disconnectGrammar.flags>;
