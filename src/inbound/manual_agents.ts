import type { V1Deployment } from "@kubernetes/client-node";
import type { Api } from "../cluster/api.ts";
import { variantOf } from "./agent_manifests.ts";
import { labels, ours } from "./names.ts";
import { paths } from "./paths.ts";

/** The names under which agents stand among the pods of a Service: `orders-blue`. Rejects as `api.list` does. */
export async function manualAgents(
  namespace: string,
  service: string,
  api: Api,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { items } = await api.list<V1Deployment>(paths.deployments(namespace), { labelSelector: ours }, signal);
  return items.filter((each) => variantOf(each) === "manual")
    .flatMap(({ metadata }) => metadata?.labels?.[labels.service] ?? [])
    .filter((name) => name.startsWith(`${service}-`));
}
