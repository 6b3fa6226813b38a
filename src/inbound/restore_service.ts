import type { V1Deployment, V1EndpointSlice, V1Pod } from "@kubernetes/client-node";
import { ApiError } from "../cluster/api.ts";
import { serviceNameLabel } from "../cluster/slice_model.ts";
import { variantOf } from "./agent_manifests.ts";
import { labels, manager, objectNames, relayUser } from "./names.ts";
import { paths } from "./paths.ts";
import { restoreSelector } from "./restore_selector.ts";
import { scaleBack, type ScaleBackDeps } from "./scale_back.ts";
import { unlessGone } from "./unless_gone.ts";

/** What to give back. */
export interface RestoreOptions {
  readonly namespace: string;
  readonly service: string;
  /** Called when nothing new comes to the agent any more, before it goes. */
  readonly drain?: (signal: AbortSignal) => Promise<void>;
  /** Once it has aborted, the agent is removed without waiting for its last requests, nor for pods in its place. */
  readonly hurry?: AbortSignal;
}

/** What was done. */
export interface Restored {
  /** The Service selects again what it selected before. */
  readonly selector: boolean;
  /** An agent was removed, and with it all that belonged to it. */
  readonly agent: boolean;
  /** The workload that has its replicas again, as `deployment/orders`. */
  readonly workload?: string;
  /** The same where not enough of its pods were ready in time. */
  readonly unready?: string;
}

const interval = 200;
const slicePatience = 5_000;
/** An agent answers what it has before it ends; what takes longer is cut. */
const agentPatience = 15_000;

/**
 * Gives a Service back and removes its agent: the selector or the workload's replicas first, then, once no new requests come to it or others can answer
 * them, the agent, and last what the agent used. Does what is left to do, whatever was done before. To be called with the Service's lock held. Rejects with an ApiError, or a Failure where nothing tells what
 * the selector was.
 */
export async function restoreService(
  { namespace, service, drain, hurry }: RestoreOptions,
  deps: ScaleBackDeps,
  signal: AbortSignal,
): Promise<Restored> {
  const { api, clock } = deps;
  const path = `${paths.deployments(namespace)}/${objectNames(service).agent}`;
  const selector = await restoreSelector(namespace, service, api, signal);
  const deployment = await unlessGone(api.get<V1Deployment>(path, {}, signal));
  const mine = deployment?.metadata?.labels?.[labels.managedBy] === manager;
  const expected = mine && variantOf(deployment) === "scale";
  const enough = drain ? "all" : "one";
  const back = relayUser(service) === undefined
    ? await scaleBack({ namespace, service, expected, enough, hurry }, deps, signal)
    : undefined;
  const restored = {
    selector,
    ...back && { workload: back.workload },
    ...back && !back.ready && { unready: back.workload },
  };
  if (!mine) return { ...restored, agent: false };
  // What the slices say needs a moment more to reach every node: an agent that was told to go takes connections for some seconds still.
  if (selector) await agentLeftSlices(namespace, service, hurry, { api, clock }, signal);
  await drain?.(signal);
  // The origin Service has to outlive the agent's last request, so that deleting all at once would not do. A relay has none.
  if ((deployment.spec?.replicas ?? 0) > 0 && relayUser(service) === undefined) {
    await unlessGone(api.patch(path, "merge", { spec: { replicas: 0 } }, {}, signal));
    await agentEnded(namespace, service, hurry, { api, clock }, signal);
  }
  await unlessGone(api.delete(path, { propagationPolicy: "Background" }, signal));
  return { ...restored, agent: true };
}

/** Until the Service's endpoints are others than the agent's; where they may not be read, a while. */
async function agentLeftSlices(
  namespace: string,
  service: string,
  hurry: AbortSignal | undefined,
  { api, clock }: Pick<ScaleBackDeps, "api" | "clock">,
  signal: AbortSignal,
): Promise<void> {
  for (const deadline = clock.now() + slicePatience; clock.now() < deadline; await clock.sleep(interval, signal)) {
    if (hurry?.aborted) return;
    try {
      const labelSelector = `${serviceNameLabel}=${service}`;
      const [slices, pods] = await Promise.all([
        api.list<V1EndpointSlice>(paths.slices(namespace), { labelSelector }, signal),
        api.list<V1Pod>(paths.pods(namespace), { labelSelector: `${labels.agent}=${service}` }, signal),
      ]);
      const agents = new Set(pods.items.map(({ metadata }) => metadata?.uid));
      const endpoints = slices.items.flatMap(({ endpoints }) => endpoints ?? []);
      if (!endpoints.some(({ targetRef }) => agents.has(targetRef?.uid))) return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 403) throw error;
    }
  }
}

async function agentEnded(
  namespace: string,
  service: string,
  hurry: AbortSignal | undefined,
  { api, clock }: Pick<ScaleBackDeps, "api" | "clock">,
  signal: AbortSignal,
): Promise<void> {
  for (const deadline = clock.now() + agentPatience; clock.now() < deadline; await clock.sleep(interval, signal)) {
    if (hurry?.aborted) return;
    const labelSelector = `${labels.agent}=${service}`;
    const { items } = await api.list<V1Pod>(paths.pods(namespace), { labelSelector }, signal);
    if (items.length === 0) return;
  }
}
