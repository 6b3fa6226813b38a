import { type Grammar, type Invocation, noWords } from "../command.ts";
import { text, toggle } from "../flag.ts";
import { connectionFlags, idleConnectionFlags } from "./connection_flags.ts";
import { idleWithoutRelay } from "./relay_flags.ts";

/** How `hawser connect` is spelled. */
export const connectGrammar = {
  name: "connect",
  summary: "reach every service of the cluster by its name, through one local port",
  description:
    "Opens a proxy (SOCKS5, SOCKS4a and HTTP on one port) and a DNS resolver on this machine, shows what is there and how to use it, and runs until Ctrl-C. Creates nothing in the cluster; bytes go through the API server, as with kubectl port-forward. With --relay a pod of the namespace dials instead, which reaches what a port-forward cannot; it is shared by your hawsers there and goes with the last one. What is not the cluster's goes out as it would have without hawser.",
  words: noWords,
  flags: {
    ...connectionFlags,
    name: text("NAME", undefined, "name of this session, where several run; made from the namespace by default", {
      setting: false,
    }),
    "system-proxy": toggle(
      "Windows: lead your browsers and most programs with windows to the cluster too, by your own user's proxy settings; put back at the end",
    ),
    detach: toggle("return once it is ready and go on in the background, until hawser disconnect"),
    detached: toggle("this is the one in the background", { hidden: true, setting: false }),
  },
  idle: [...idleConnectionFlags, idleWithoutRelay],
  examples: [
    { line: "hawser connect", what: "the current context and its namespace" },
    { line: "hawser connect -n dev --namespaces shared", what: "short names in dev, and watch shared too" },
    { line: "hawser connect --relay --include '*.corp.example'", what: "and what only the cluster can reach" },
    { line: "hawser connect --listen", what: "local ports for database clients" },
    { line: 'hawser connect --detach && eval "$(hawser env)"', what: "in the background, and wire this shell" },
  ],
} satisfies Grammar;

/** `hawser connect`, read. */
export type ConnectInvocation = Invocation<typeof connectGrammar.flags>;
