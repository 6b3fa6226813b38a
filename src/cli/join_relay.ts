import type { AgentImage } from "../inbound/agent_image.ts";
import { agentSource } from "../inbound/agent_source.ts";
import { checkRights } from "../inbound/check_rights.ts";
import { relayName } from "../inbound/names.ts";
import { openRelay, type Relay } from "../inbound/open_relay.ts";
import { RelayedCluster } from "../inbound/relayed_cluster.ts";
import { LocalProcess } from "../platform/local_process.ts";
import type { CliDeps } from "./deps.ts";
import { localOwner } from "./local_owner.ts";
import type { Cluster } from "./open_cluster.ts";

/** A relay, and a dialer that reaches the cluster through it. */
export interface JoinedRelay extends Relay {
  readonly cluster: RelayedCluster;
}

/** Joins the user's relay in the namespace of a cluster's access, or makes it; to be closed before the cluster is. Rejects with errors whose messages are for people. */
export async function joinRelay(
  image: AgentImage,
  { access: { namespace, user: kubernetesUser }, api, dialer, directory }: Cluster,
  { env, os, paths, clock, log, onProgress }: Pick<CliDeps, "env" | "os" | "paths" | "clock" | "log"> & {
    readonly onProgress?: (state: string) => void;
  },
  signal: AbortSignal,
): Promise<JoinedRelay> {
  await checkRights("relay", namespace, api, signal);
  const owner = localOwner(kubernetesUser, { env });
  const [user = ""] = owner.name.split("@");
  const process = await LocalProcess.open({ os, state: () => paths().state });
  const deps = { api, dialer, clock, log, process, agentProgram: await agentSource(), onProgress };
  const relay = await openRelay({ namespace, name: relayName(user), image, owner }, deps, signal);
  const cluster = new RelayedCluster({ relay: relay.dialer, cluster: dialer, directory });
  return { object: relay.object, dialer: relay.dialer, cluster, close: () => relay.close() };
}
