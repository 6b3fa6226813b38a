import type { Grammar, Invocation } from "../command.ts";

/** How `hawser recover` is spelled. */
export const recoverGrammar = {
  name: "recover",
  summary: "put a service back as it was, whoever has diverted it",
  description:
    "Gives the service its selector back and removes the agent and all that belongs to it. Whoever exchanges, meshes or previews it at present is told and ended. Needs nothing of the machine that began it.",
  words: { usage: "SERVICE…", least: 1, most: Infinity, complete: "service" },
  flags: {},
  examples: [{ line: "hawser recover orders", what: "at once, without asking" }],
} satisfies Grammar;

/** `hawser recover`, read. */
export type RecoverInvocation = Invocation<typeof recoverGrammar.flags>;
