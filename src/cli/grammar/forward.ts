import type { Grammar, Invocation } from "../command.ts";
import { loopback } from "../flag.ts";
import { idleWithoutRelay, relayFlags } from "./relay_flags.ts";

/** How `hawser forward` is spelled. */
export const forwardGrammar = {
  name: "forward",
  summary: "local ports to a service, workload or pod, that survive its restarts",
  description:
    "Spelled like kubectl port-forward: a target and its ports, several targets one after another. A target is a service (mysql, svc/mysql), a service of another namespace (orders.shop), a workload (deploy/api, sts/db, ds/agent, job/x) or a pod (pod/x). A port is LOCAL:REMOTE, PORT for both alike, or :REMOTE for any free local port; REMOTE may be the port's name. Each connection goes to a pod that is ready at that moment. With --relay a target may be any address or name that the cluster can reach, and a port may be UDP (53/udp).",
  words: { usage: "TARGET [LOCAL:]PORT[/udp]… [TARGET [LOCAL:]PORT…]…", least: 1, most: Infinity, complete: "target" },
  flags: { address: loopback("127.0.0.1", "address to listen on: 127.x.y.z or ::1"), ...relayFlags },
  idle: [idleWithoutRelay],
  examples: [
    { line: "hawser forward mysql 3306", what: "127.0.0.1:3306 to the service mysql" },
    { line: "hawser forward deploy/api 8080:http", what: "local 8080 to the port named http" },
    { line: "hawser forward pod/worker-0 :5005", what: "a debugger, on any free local port" },
    { line: "hawser forward --relay db.corp.example 5432", what: "a database that only the cluster can reach" },
    { line: "hawser forward --relay kube-dns.kube-system 5353:53/udp", what: "the cluster's own DNS" },
    { line: "hawser forward orders.other 9000:80 9001:81 redis 6379", what: "several ports and targets" },
  ],
} satisfies Grammar;

/** `hawser forward`, read. */
export type ForwardInvocation = Invocation<typeof forwardGrammar.flags>;
