import { type Api, ApiError } from "../cluster/api.ts";
import type { Clock } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { labels } from "./names.ts";
import { paths } from "./paths.ts";
import { describeScalable, type Scalable } from "./scalable.ts";
import { forgettingPatch, readNote, scaleAnnotation, type ScaledObject } from "./scale_note.ts";
import { unlessGone } from "./unless_gone.ts";

/** Whose workload comes back. */
export interface ScaleBackOptions {
  readonly namespace: string;
  readonly service: string;
  /** Whether the agent is known to stand for a workload, so that not being allowed to look for it is an error. */
  readonly expected: boolean;
  /** For how many of its pods to wait: all while a laptop answers for them, else one, as nobody does. */
  readonly enough: "all" | "one";
  /** Once it has aborted, no pod is waited for. */
  readonly hurry?: AbortSignal;
}

/** A workload that has its replicas again. */
export interface ScaledBack {
  /** `deployment/orders`. */
  readonly workload: string;
  /** Whether enough of its pods were ready in time. */
  readonly ready: boolean;
}

/** What scaling back uses of the world. */
export interface ScaleBackDeps {
  readonly api: Api;
  readonly clock: Clock;
  /** Told how many pods are ready. */
  readonly onProgress?: (state: string) => void;
}

const conflictRetries = 10;
const interval = 250;
/** Milliseconds for pods to become ready. */
export const readyPatience = { all: 120_000, one: 30_000 } as const;

/**
 * Gives the workload that was scaled to zero for a Service its replicas back, waits for its pods and takes the note away; undefined where there is none. What
 * others have scaled meanwhile is left as it is. To be called with the Service's lock held. Rejects as `api` does, or with a {@linkcode Failure} where nothing
 * tells how many replicas there were.
 */
export async function scaleBack(
  options: ScaleBackOptions,
  deps: ScaleBackDeps,
  signal: AbortSignal,
): Promise<ScaledBack | undefined> {
  const { namespace } = options;
  let done: ScaledBack | undefined;
  for (const workload of await findScaled(options, deps.api, signal)) {
    const path = paths.scalable(namespace, workload);
    await insist(path, deps.api, signal, async (found) => {
      if ((found.spec?.replicas ?? 1) !== 0) return; // others' number has come to stay
      const note = readNote(found);
      if (!note) throw unreadable(namespace, workload);
      const { resourceVersion } = found.metadata ?? {};
      const body = { metadata: { resourceVersion }, spec: { replicas: note.replicas } };
      await deps.api.patch(`${path}/scale`, "merge", body, {}, signal);
    });
    const ready = await awaitReady(path, workload, options, deps, signal);
    await insist(path, deps.api, signal, async (found) => {
      await deps.api.patch(path, "merge", forgettingPatch(found), {}, signal);
    });
    done = { workload: describeScalable(workload), ready };
  }
  return done;
}

async function findScaled(
  { namespace, service, expected }: ScaleBackOptions,
  api: Api,
  signal: AbortSignal,
): Promise<readonly Scalable[]> {
  const found = await Promise.all((["deployments", "statefulsets"] as const).map(async (resource) => {
    try {
      const query = { labelSelector: `${labels.service}=${service}` };
      const { items } = await api.list<ScaledObject>(paths.scalables(namespace, resource), query, signal);
      return items.filter(({ metadata }) => metadata?.annotations?.[scaleAnnotation] !== undefined)
        .map(({ metadata }) => ({ resource, name: metadata?.name ?? "" }));
    } catch (error) {
      if (!expected && error instanceof ApiError && error.status === 403) return [];
      throw error;
    }
  }));
  return found.flat();
}

/** Reads an object and does something with it, again where it has changed in between; nothing where it does not exist any more. */
async function insist(
  path: string,
  api: Api,
  signal: AbortSignal,
  action: (found: ScaledObject) => Promise<void>,
): Promise<void> {
  for (let attempt = 1;; attempt++) {
    const found = await unlessGone(api.get<ScaledObject>(path, {}, signal));
    if (!found) return;
    try {
      return await action(found);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 404) return;
      if (error.status !== 409 || attempt > conflictRetries) throw error;
    }
  }
}

async function awaitReady(
  path: string,
  workload: Scalable,
  { enough, hurry }: ScaleBackOptions,
  { api, clock, onProgress }: ScaleBackDeps,
  signal: AbortSignal,
): Promise<boolean> {
  let shown = "";
  for (const deadline = clock.now() + readyPatience[enough]; clock.now() < deadline;) {
    const found = await unlessGone(api.get<ScaledObject>(path, {}, signal));
    const wanted = found?.spec?.replicas ?? 0;
    const current = (found?.status?.observedGeneration ?? 0) >= (found?.metadata?.generation ?? 0);
    const ready = current ? found?.status?.readyReplicas ?? 0 : 0;
    if (ready >= (enough === "one" ? Math.min(1, wanted) : wanted)) return true;
    if (hurry?.aborted) return false;
    const state = `Waiting for the pods of ${describeScalable(workload)}: ${ready} of ${wanted} ready`;
    if (state !== shown) onProgress?.(state);
    shown = state;
    await clock.sleep(interval, signal);
  }
  return false;
}

function unreadable(namespace: string, workload: Scalable): Failure {
  const name = describeScalable(workload);
  return new Failure(
    `${name} in namespace "${namespace}" was scaled to zero by hawser, but somebody has changed its annotation ${scaleAnnotation}, so that nothing tells how many ` +
      `replicas it had: kubectl -n ${namespace} scale ${name} --replicas NUMBER`,
  );
}
