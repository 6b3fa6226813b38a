import { type Grammar, type Invocation, noWords } from "../command.ts";
import { toggle } from "../flag.ts";
import { givenBy } from "../idle_flags.ts";
import { idleForSessions } from "./connection_flags.ts";
import { sessionFlag } from "./session_flag.ts";

/** How `hawser status` is spelled. */
export const statusGrammar = {
  name: "status",
  summary: "show what runs: sessions here, or who has which service in the cluster",
  description:
    "Shows every running session of this user, or the one named by --session. With --cluster, who exchanges, meshes or previews which service of the namespace, since when, and whether they seem to live. Exits with 0 also when there is nothing.",
  words: noWords,
  flags: {
    ...sessionFlag,
    cluster: toggle("who exchanges, meshes and previews what in the namespace", { setting: false }),
    "all-namespaces": toggle("with --cluster: in every namespace", { short: "A", setting: false }),
  },
  idle: [{
    flags: idleForSessions.flags,
    reason: (given) =>
      givenBy(given, "cluster") || givenBy(given, "all-namespaces")
        ? undefined
        : "is for hawser status --cluster: sessions are shown whatever they were started with",
  }],
  examples: [
    { line: "hawser status", what: "all sessions" },
    { line: "hawser status -o json", what: "the same for scripts" },
    { line: "hawser status --cluster", what: "who works on which service" },
  ],
} satisfies Grammar;

/** `hawser status`, read. */
export type StatusInvocation = Invocation<typeof statusGrammar.flags>;
