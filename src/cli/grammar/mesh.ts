import type { Grammar, Invocation } from "../command.ts";
import { choice } from "../flag.ts";
import { divertingFlags, inboundFlags, markFlags } from "./inbound_flags.ts";

/** How `hawser mesh` is spelled. */
export const meshGrammar = {
  name: "mesh",
  summary: "answer only marked requests of a service with a program on this machine",
  description:
    "Like exchange, for the requests that carry your mark; all others go on to the original pods, and several developers can work on one service, each with a mark. Without --version-mark and --match the mark is the header VERSION with a value made up at start. Conditions of --match must all hold: header=NAME:VALUE, cookie=NAME:VALUE, query=NAME:VALUE, path=VALUE, path-prefix=VALUE. A value that begins with ^ is what it must begin with, one that begins with ~ a regular expression for the whole of it; path-prefix=/api takes /apix as well, path-prefix=/api/ does not. HTTP/1.1, HTTP/2 and gRPC in clear text; TLS cannot be looked into. With --mode manual nothing of the service is changed: the agent is one more pod of it, with the label version (or the KEY of --version-mark) that tells it from the others, and Istio or another router has to choose it. Everything that reaches this pod comes here, marked or not, so without a router that is a share of all requests; all ports have to be exposed. While this machine is away the pod is not ready, and nothing is sent to it.",
  words: { usage: "SERVICE", least: 1, most: 1, complete: "target" },
  flags: {
    ...inboundFlags,
    mode: choice(
      ["auto", "manual"],
      "auto",
      "hawser's agent finds marked requests itself, or is a labelled pod for a router that does",
      { setting: false },
    ),
    ...markFlags,
    ...divertingFlags,
  },
  examples: [
    { line: "hawser mesh orders --expose 8080", what: "requests with the header that is shown then" },
    { line: "hawser mesh orders --expose 8080 --version-mark VERSION:blue", what: "with a header of your own" },
    { line: "hawser mesh orders --expose 8080 --match cookie=user:alice", what: "one user's requests" },
    { line: "hawser mesh orders --expose 8080 --mode manual --version-mark blue", what: "a pod with version: blue" },
    { line: "hawser mesh orders --expose 8080 --match path-prefix=/api --match header=x-debug:~on|1", what: "both" },
  ],
} satisfies Grammar;

/** `hawser mesh`, read. */
export type MeshInvocation = Invocation<typeof meshGrammar.flags>;
