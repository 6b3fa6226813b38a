import type { V1OwnerReference, V1Pod, V1ReplicaSet } from "@kubernetes/client-node";
import type { Api } from "../cluster/api.ts";
import type { Clock } from "../platform/clock.ts";
import { paths } from "./paths.ts";

/** Kinds that are restarted by a change of their template, and their resources. */
const resources: Readonly<Record<string, string>> = {
  Deployment: "deployments",
  StatefulSet: "statefulsets",
};

/**
 * Restarts the workloads whose pods a selector finds, one pod after another, as `kubectl rollout restart` does: callers that hold connections to the old pods
 * have to open new ones. Resolves with what was restarted, as `deployment/orders`; pods that nobody would bring back are left alone. Rejects as `api` does.
 */
export async function restartWorkloads(
  namespace: string,
  selector: Readonly<Record<string, string>>,
  { api, clock }: { readonly api: Api; readonly clock: Clock },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const labelSelector = Object.entries(selector).map(([key, value]) => `${key}=${value}`).join(",");
  const { items } = await api.list<V1Pod>(paths.pods(namespace), { labelSelector }, signal);
  const owners = new Map(items.flatMap(({ metadata }) => controllerOf(metadata?.ownerReferences)));
  const restarted = new Set<string>();
  const annotations = { "kubectl.kubernetes.io/restartedAt": new Date(clock.wall()).toISOString() };
  for (const owner of owners.values()) {
    const workload = owner.kind === "ReplicaSet" ? await deploymentOf(namespace, owner, api, signal) : owner;
    const resource = resources[workload?.kind ?? ""];
    const name = `${workload?.kind.toLowerCase()}/${workload?.name}`;
    if (!workload || !resource || restarted.has(name)) continue;
    await api.patch(
      `/apis/apps/v1/namespaces/${namespace}/${resource}/${workload.name}`,
      "merge",
      { spec: { template: { metadata: { annotations } } } },
      {},
      signal,
    );
    restarted.add(name);
  }
  return [...restarted];
}

function controllerOf(owners: readonly V1OwnerReference[] | undefined): [string, V1OwnerReference][] {
  const owner = owners?.find(({ controller }) => controller);
  return owner ? [[owner.uid, owner]] : [];
}

async function deploymentOf(
  namespace: string,
  { name }: V1OwnerReference,
  api: Api,
  signal: AbortSignal,
): Promise<V1OwnerReference | undefined> {
  const { metadata } = await api.get<V1ReplicaSet>(
    `/apis/apps/v1/namespaces/${namespace}/replicasets/${name}`,
    {},
    signal,
  );
  return controllerOf(metadata?.ownerReferences)[0]?.[1];
}
