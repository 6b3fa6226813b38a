import type { Grammar, Invocation } from "../command.ts";
import { text } from "../flag.ts";
import { inboundFlags } from "./inbound_flags.ts";

/** How `hawser preview` is spelled. */
export const previewGrammar = {
  name: "preview",
  summary: "a new service in the cluster, answered by a program on this machine",
  description:
    "Makes a service of a name that does not exist yet, and takes it away again at the end. While this machine is away it answers with 503 and says whose it is. With --external it can be reached from outside the cluster, too, by a port of the nodes, a load balancer or an Ingress, as far as the cluster has them; anybody who can reach that address reaches your program.",
  words: { usage: "NAME", least: 1, most: 1 },
  flags: {
    ...inboundFlags,
    external: text(
      "nodeport|loadbalancer|ingress=HOST[@CLASS]",
      undefined,
      "how it can be reached from outside the cluster; the address is shown",
      { setting: false },
    ),
  },
  examples: [
    {
      line: "hawser preview orders-next --expose 8080:80",
      what: "http://orders-next/ in the cluster is port 8080 here",
    },
    { line: "hawser preview orders-next --expose 8080:80 --external nodeport", what: "from outside, too" },
  ],
} satisfies Grammar;

/** `hawser preview`, read. */
export type PreviewInvocation = Invocation<typeof previewGrammar.flags>;
