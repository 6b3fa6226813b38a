import { type Api, ApiError } from "../cluster/api.ts";
import type { Clock } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { paths } from "./paths.ts";
import { describeScalable, type Scalable } from "./scalable.ts";
import { notingPatch, readNote, type ScaledObject } from "./scale_note.ts";

/** What is scaled to zero, and for which Service. */
export interface ScaleAwayOptions {
  readonly namespace: string;
  readonly service: string;
  readonly workload: Scalable;
  /** Who does it, for people. */
  readonly by: string;
  /** Told how many pods are ready still, each time that changes. */
  readonly onProgress?: (state: string) => void;
}

const conflictRetries = 5;
const interval = 250;
/** Pods of a StatefulSet end one after another. */
const patience = 60_000;

/**
 * Notes on a workload how many replicas it has, scales it to zero and waits until none of its pods is ready any more, for up to a minute. Does nothing where that
 * was done before. To be called with the Service's lock held. Rejects as `api` does, or with a {@linkcode Failure} where somebody else was there first.
 */
export async function scaleAway(
  options: ScaleAwayOptions,
  deps: { readonly api: Api; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      await scale(options, deps, signal);
      break;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409 || attempt > conflictRetries) throw error;
    }
  }
  const { namespace, workload, onProgress } = options;
  const { api, clock } = deps;
  let shown = -1;
  for (const deadline = clock.now() + patience; clock.now() < deadline; await clock.sleep(interval, signal)) {
    const { metadata, status } = await api.get<ScaledObject>(paths.scalable(namespace, workload), {}, signal);
    const ready = status?.readyReplicas ?? 0;
    if (ready === 0 && (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0)) return;
    if (ready !== shown) onProgress?.(`Waiting for the pods of ${describeScalable(workload)} to end: ${ready} left`);
    shown = ready;
  }
}

async function scale(
  { namespace, service, workload, by }: ScaleAwayOptions,
  { api, clock }: { readonly api: Api; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  const path = paths.scalable(namespace, workload);
  const found = await api.get<ScaledObject>(path, {}, signal);
  const replicas = found.spec?.replicas ?? 1;
  if (replicas === 0) {
    if (readNote(found)) return;
    throw new Failure(`Somebody has scaled ${describeScalable(workload)} to zero just now; run it again`);
  }
  const note = { replicas, since: new Date(clock.wall()).toISOString(), by };
  const { metadata } = await api.patch<ScaledObject>(path, "merge", notingPatch(found, service, note), {}, signal);
  // With the version of the note: nobody's change of the replicas comes between it and this.
  const body = { metadata: { resourceVersion: metadata?.resourceVersion }, spec: { replicas: 0 } };
  await api.patch(`${path}/scale`, "merge", body, {}, signal);
}
