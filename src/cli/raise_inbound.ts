import type { Seen } from "../agent/protocol.ts";
import type { Api } from "../cluster/api.ts";
import type { CommandWithRights } from "../cluster/permissions.ts";
import type { WorkloadName } from "../cluster/workload.ts";
import { agentSource } from "../inbound/agent_source.ts";
import { checkRights } from "../inbound/check_rights.ts";
import { findService } from "../inbound/find_service.ts";
import type { Inbound, InboundRequest } from "../inbound/inbound.ts";
import { manualName } from "../inbound/names.ts";
import { openInbound } from "../inbound/open_inbound.ts";
import { type Reach, reachPreview } from "../inbound/reach_preview.ts";
import { restartWorkloads } from "../inbound/restart_workloads.ts";
import { LocalProcess } from "../platform/local_process.ts";
import type { CliDeps } from "./deps.ts";
import { describeSeen } from "./describe_seen.ts";
import { localOwner } from "./local_owner.ts";
import type { Cluster } from "./open_cluster.ts";

/** What is to come here, before it is known which Service that is. */
export interface InboundWish
  extends Pick<InboundRequest, "kind" | "exposes" | "match" | "fallback" | "insist" | "image" | "variant"> {
  /** The Service, or a workload behind it; for a preview the Service that is to be. */
  readonly target: WorkloadName;
  /** Whether callers are made to open new connections. */
  readonly cut: boolean;
  /** Whether all that comes is told, one line each. */
  readonly observe: boolean;
}

/** What bringing traffic in uses of a cluster. */
export interface InboundCluster extends Pick<Cluster, "access" | "directory" | "dialer"> {
  readonly api: Api;
}

/** A wish that came true. */
export interface RaisedInbound {
  readonly request: InboundRequest;
  readonly inbound: Inbound;
  /** What `--cut` restarts: `deployment/orders`. */
  readonly restarted: readonly string[];
  /** How a preview is reached from outside, where that was asked for. */
  readonly reach: Reach | undefined;
}

/** Brings traffic in. Where a step fails or `signal` aborts, what was done is undone. Rejects with errors whose messages are for people. */
export async function raiseInbound(
  wish: InboundWish,
  cluster: InboundCluster,
  { env, os, paths, terminal, clock, log }: Pick<CliDeps, "env" | "os" | "paths" | "terminal" | "clock" | "log">,
  signal: AbortSignal,
): Promise<RaisedInbound> {
  const { access: { namespace }, api, dialer } = cluster;
  const { target, cut, observe, ...rest } = wish;
  // First, as it tells all that is missing; looking for the service would stumble over one right.
  await checkRights(commandOf(wish), namespace, api, signal);
  const [found, agentProgram] = await Promise.all([
    wish.kind === "preview" ? target.name : findService(target, namespace, api, signal),
    agentSource(),
  ]);
  const { variant } = wish;
  const manual = variant?.kind === "manual" && { among: found, service: manualName(found, variant.label.value) };
  const request: InboundRequest = {
    ...rest,
    namespace,
    service: found,
    owner: localOwner(cluster.access.user, { env }),
    ...manual,
  };
  const { service } = request;
  const inboundDeps = {
    api,
    dialer,
    clock,
    log,
    process: await LocalProcess.open({ os, state: () => paths().state }),
    agentProgram,
    onProgress: (state: string) => terminal.progress(state),
    ...observe && {
      onSeen: (seen: Seen, port: number) => log.info(`${service}:${port} ${describeSeen(seen)}`),
      onMissed: (count: number) => log.info(`${service}: ${count} more that could not be told one by one`),
    },
  };
  const undoing = () =>
    terminal.tell(
      `Undoing "${service}"… (Ctrl-C again leaves at once; this finishes it then: hawser recover ${service} -n ${namespace})`,
    );
  signal.addEventListener("abort", undoing, { once: true });
  try {
    const inbound = await openInbound(request, inboundDeps, signal);
    try {
      const { origin } = inbound.plan;
      const restarted = cut && origin ? await restartWorkloads(namespace, origin.selector, inboundDeps, signal) : [];
      const reach = await reachPreview(inbound.plan, inboundDeps, signal);
      return { request, inbound, restarted, reach };
    } catch (error) {
      await inbound.close();
      throw error;
    }
  } finally {
    signal.removeEventListener("abort", undoing);
  }
}

/** What needs rights of its own. */
function commandOf({ kind, variant }: InboundWish): CommandWithRights {
  if (variant?.kind === "scale") return "exchange --mode scale";
  return variant?.kind === "external" && variant.external.type === "Ingress" ? "preview --external ingress" : kind;
}
