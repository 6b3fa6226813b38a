import type { V1Container, V1Pod } from "@kubernetes/client-node";
import type { Access } from "../cluster/access.ts";
import type { Api } from "../cluster/api.ts";
import { canonicalAddress } from "../cluster/canonical_address.ts";
import type { Directory } from "../cluster/directory.ts";
import { parseProcNetTcp } from "../cluster/parse_proc_net_tcp.ts";
import { toPod } from "../cluster/pod_model.ts";
import { reviewAccess } from "../cluster/review_access.ts";
import type { Clock } from "../platform/clock.ts";
import { withDeadline } from "../platform/deadline.ts";
import { execInPod } from "../tunnel/exec_in_pod.ts";
import type { Inbound } from "./inbound.ts";
import { labels } from "./names.ts";
import { paths } from "./paths.ts";
import type { PlannedPort } from "./plan.ts";

/** Connections that go to the original pods past the agent, because they were opened before it stood there. */
export interface EarlierConnections {
  readonly count: number;
  /** Who holds them, the busiest first: pods by name (with their namespace where it is another), others by address. */
  readonly callers: readonly { readonly name: string; readonly count: number }[];
  /** Not all of the original pods could be looked into: there may be more. */
  readonly partial: boolean;
}

/** What looking for them uses of the world. */
export interface EarlierConnectionsDeps {
  readonly api: Api;
  readonly access: Access;
  readonly directory: Pick<Directory, "lookup">;
  readonly clock: Clock;
}

/** Milliseconds for all of it. */
const patience = 2_000;
/** So many pods are looked into, and so many bytes of each are read: some 7000 sockets. */
const podLimit = 20;
const outputLimit = 1024 * 1024;

const exec = { group: "", resource: "pods", subresource: "exec", verbs: ["get", "create"], without: undefined };

/**
 * Looks into the original pods of what was diverted for connections to the exposed ports that are open still. Undefined where that may not be known: without the right
 * `pods/exec`, in containers without `cat`, on other systems than Linux, or within 2 s. Rejects with the signal's reason alone.
 */
export async function earlierConnections(
  { plan, ports }: Pick<Inbound, "plan" | "ports">,
  deps: EarlierConnectionsDeps,
  signal: AbortSignal,
): Promise<EarlierConnections | undefined> {
  const { namespace, origin } = plan;
  if (!origin) return undefined;
  try {
    return await withDeadline(deps.clock, patience, signal, () => new Error("it takes too long"), async (limit) => {
      const reviews = await reviewAccess(deps.api, [exec], namespace, limit);
      if (!reviews.every(({ allowed }) => allowed)) return undefined;
      const labelSelector = Object.entries(origin.selector).map(([key, value]) => `${key}=${value}`).join(",");
      const { items } = await deps.api.list<V1Pod>(paths.pods(namespace), { labelSelector }, limit);
      const running = items.filter(({ status }) => status?.phase === "Running");
      const planned = ports.map(({ port }) => port);
      const looked = await Promise.allSettled(
        running.slice(0, podLimit).map((pod) => remotesOf(pod, planned, deps.access, limit)),
      );
      const remotes = looked.flatMap((result) => result.status === "fulfilled" ? result.value : []);
      const partial = running.length > podLimit || looked.some(({ status }) => status === "rejected");
      if (partial && remotes.length === 0) return undefined;
      return await summed(remotes, namespace, partial, deps.directory, limit);
    });
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Addresses from which connections come to the planned ports of a pod, one for each connection; its own and its node's left out: those are port-forwards and probes. */
async function remotesOf(
  pod: V1Pod,
  planned: readonly PlannedPort[],
  access: Access,
  signal: AbortSignal,
): Promise<string[]> {
  const { name, namespace, uid, ips, ports } = toPod(pod);
  const targets = planned.map(({ agentPort, containerPortName }) =>
    containerPortName === undefined ? agentPort : ports.find((port) => port.name === containerPortName)?.port
  );
  const container = containerOf(pod, targets);
  const command = ["cat", "/proc/net/tcp", "/proc/net/tcp6"];
  const request = { pod: { name, namespace, uid }, container, command, limit: outputLimit };
  const text = new TextDecoder().decode(await execInPod(access, request, signal));
  if (!text.includes("local_address")) throw new Error(`no table of connections in pod "${name}"`);
  const { hostIP = "", hostIPs = [] } = pod.status ?? {};
  const own = new Set([...ips, ...[hostIP, ...hostIPs.map(({ ip }) => ip)].map(canonicalAddress)]);
  return parseProcNetTcp(text).filter(({ established, local, remote }) =>
    established && targets.includes(local.port) && !own.has(remote.address) && !/^127\.|^::1$/.test(remote.address)
  ).map(({ remote }) => remote.address);
}

/** The container that serves one of the ports, else the first: all of a pod share its network. */
function containerOf({ spec }: V1Pod, targets: readonly (number | undefined)[]): string {
  const serves = ({ ports }: V1Container) =>
    ports?.some(({ containerPort }) => targets.includes(containerPort)) ?? false;
  return (spec?.containers.find(serves) ?? spec?.containers[0])?.name ?? "";
}

async function summed(
  remotes: readonly string[],
  namespace: string,
  partial: boolean,
  directory: Pick<Directory, "lookup">,
  signal: AbortSignal,
): Promise<EarlierConnections> {
  const byAddress = Map.groupBy(remotes, (address) => address);
  const callers = (await Promise.all([...byAddress].map(async ([address, connections]) => {
    const name = await nameOf(address, namespace, directory, signal);
    return name === undefined ? [] : [{ name, count: connections.length }];
  }))).flat().sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  return { count: callers.reduce((sum, { count }) => sum + count, 0), callers, partial };
}

/** Who has an address, a node or somebody outside where no pod has it; undefined for an agent, through which all that comes after goes. */
async function nameOf(
  address: string,
  namespace: string,
  directory: Pick<Directory, "lookup">,
  signal: AbortSignal,
): Promise<string | undefined> {
  const found = await directory.lookup(address, signal).catch(() => undefined);
  if (found?.kind !== "pod") return `${address}, no pod`;
  const { pod } = found;
  if (pod.labels[labels.agent] !== undefined) return undefined;
  return pod.namespace === namespace ? pod.name : `${pod.name} in ${pod.namespace}`;
}
