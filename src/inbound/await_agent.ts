import type { V1Deployment, V1Pod } from "@kubernetes/client-node";
import { type Api, ApiError } from "../cluster/api.ts";
import { podReason } from "../cluster/pod_reason.ts";
import type { Clock } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { labels, objectNames } from "./names.ts";
import { paths } from "./paths.ts";

/** Which agent to wait for. */
export interface AwaitOptions {
  readonly namespace: string;
  readonly service: string;
  /** Told what the pod is about, each time that changes. */
  readonly onProgress?: (state: string) => void;
}

const interval = 250;
/** A reason that stands for so long will not go away by itself; together with the interval well below 5 s. */
const reasonPatience = 2_500;
/** A program that runs is not ready at once; after so long it is news. */
const probePatience = 5_000;
/** Pulling an image over a slow line may take its time. */
const patience = 180_000;

/**
 * Resolves once a pod of the agent is ready. Rejects with a {@linkcode Failure} that has Kubernetes' own reason where none can become so: image, quota,
 * policy, no node, crash.
 */
export async function awaitAgent(
  { namespace, service, onProgress }: AwaitOptions,
  { api, clock }: { readonly api: Api; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  const name = objectNames(service).agent;
  const started = clock.now();
  let shown = "";
  let unready: number | undefined;
  let trouble: { readonly reason: string; readonly since: number } | undefined;
  for (;;) {
    const [pods, refused] = await Promise.all([
      api.list<V1Pod>(paths.pods(namespace), { labelSelector: `${labels.agent}=${service}` }, signal),
      replicaFailure(api, namespace, name, signal),
    ]);
    const living = pods.items.filter(({ metadata }) => !metadata?.deletionTimestamp);
    const reasons = living.map(podReason);
    if (reasons.includes("")) return;
    const state = refused ?? reasons[0] ?? "no pod yet";
    unready = state.startsWith("NotReady") ? unready ?? clock.now() : undefined;
    const told = unready !== undefined && clock.now() - unready < probePatience ? "it starts" : state;
    if (told !== shown) onProgress?.(told);
    shown = told;
    const fatal = refused ?? reasons.find(isFatal);
    if (fatal === undefined) trouble = undefined;
    else trouble = { reason: fatal, since: trouble?.since ?? clock.now() };
    const late = clock.now() - started > patience;
    if (trouble && clock.now() - trouble.since >= reasonPatience || late) {
      throw new Failure(
        `The agent "${name}" in namespace "${namespace}" cannot start: ${trouble?.reason ?? state}. ${
          advice(trouble?.reason ?? state, namespace)
        }`,
      );
    }
    await clock.sleep(interval, signal);
  }
}

/** Why no pod could be created: quota, Pod Security, a webhook. */
async function replicaFailure(
  api: Api,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { status } = await api.get<V1Deployment>(
      `${paths.deployments(namespace)}/${name}`,
      {},
      signal,
    );
    const failure = status?.conditions?.find(({ type, status }) => type === "ReplicaFailure" && status === "True");
    return failure && `${failure.reason ?? "FailedCreate"}: ${failure.message ?? ""}`;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    throw new Failure(`Somebody has deleted the agent "${name}" in namespace "${namespace}" while it started`);
  }
}

function isFatal(reason: string): boolean {
  return /^(?:Init:)?(?:ErrImage|ImagePull|InvalidImageName|ImageInspectError|RegistryUnavailable|CreateContainer|RunContainerError|StartError|ContainerCannotRun|CrashLoopBackOff|Error|OOMKilled|Unschedulable|SchedulerError|Evicted|Completed|SysctlForbidden|UnexpectedAdmissionError)/
    .test(reason);
}

function advice(reason: string, namespace: string): string {
  if (/ErrImage|ImagePull|InvalidImageName|ErrImageNeverPull/.test(reason)) {
    return "Name an image with Node 18 or newer, or Deno, that the cluster can pull: --agent-image (and --image-pull-secret), or for good: hawser config set agent-image IMAGE";
  }
  if (/quota/.test(reason)) return `It wants 50m CPU and 64Mi memory; see: kubectl -n ${namespace} describe quota`;
  if (/PodSecurity|violates/.test(reason)) {
    return "Its pod keeps to the restricted Pod Security Standard; show this to an administrator";
  }
  if (/SysctlForbidden|sysctl/.test(reason)) {
    return "The service has a port below 1024, for which the agent needs the safe sysctl net.ipv4.ip_unprivileged_port_start";
  }
  if (/Unschedulable/.test(reason)) return "It wants 50m CPU and 64Mi memory on a Linux node";
  return `See: kubectl -n ${namespace} get events`;
}
