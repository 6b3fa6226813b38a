import type { Grammar, Invocation } from "../command.ts";
import { inboundFlags } from "./inbound_flags.ts";

/** How `hawser preview` is spelled. */
export const previewGrammar = {
  name: "preview",
  summary: "a new service in the cluster, answered by a program on this machine",
  description:
    "Makes a service of a name that does not exist yet, and takes it away again at the end. While this machine is away it answers with 503 and says whose it is.",
  words: { usage: "NAME", least: 1, most: 1 },
  flags: inboundFlags,
  examples: [
    {
      line: "hawser preview orders-next --expose 8080:80",
      what: "http://orders-next/ in the cluster is port 8080 here",
    },
  ],
} satisfies Grammar;

/** `hawser preview`, read. */
export type PreviewInvocation = Invocation<typeof previewGrammar.flags>;
