import type { V1Deployment } from "@kubernetes/client-node";
import type { Api } from "../cluster/api.ts";
import type { Clock } from "../platform/clock.ts";

const interval = 1_000;

/**
 * Resolves once all pods of a restarted workload, as `restartWorkloads` names it, are new ones and ready: the rule of `kubectl rollout status`. Rejects as `api.get`
 * does, or when the signal aborts.
 */
export async function awaitRestart(
  namespace: string,
  workload: string,
  { api, clock }: { readonly api: Api; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  const [kind, name] = workload.split("/");
  const path = `/apis/apps/v1/namespaces/${namespace}/${kind}s/${name}`;
  // What is asked of a StatefulSet is called the same.
  while (!isDone(await api.get<V1Deployment>(path, {}, signal))) await clock.sleep(interval, signal);
}

function isDone({ metadata, spec, status }: V1Deployment): boolean {
  const wanted = spec?.replicas ?? 1;
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, readyReplicas = 0 } = status ?? {};
  return observedGeneration >= (metadata?.generation ?? 0) &&
    [replicas, updatedReplicas, readyReplicas].every((each) => each === wanted);
}
