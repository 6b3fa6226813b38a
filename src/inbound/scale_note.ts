import type { V1Deployment, V1StatefulSet } from "@kubernetes/client-node";
import { labels } from "./names.ts";

/** Where a workload that was scaled to zero keeps what undoes it; beside it stands the label `hawser.dev/service`, by which it is found. */
export const scaleAnnotation = "hawser.dev/scaled";

/** A workload that has the `scale` subresource. */
export type ScaledObject = V1Deployment | V1StatefulSet;

/** How many replicas a workload had before it was scaled to zero. */
export interface ScaleNote {
  readonly replicas: number;
  /** When, RFC 3339. */
  readonly since: string;
  /** Who did it, for people: `alice@laptop`. */
  readonly by: string;
}

/** JSON merge patch for the metadata of a workload; refused by the API server (409) if it has changed since it was read. */
export interface NotePatch {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly labels: Readonly<Record<string, string | null>> | null;
    readonly annotations: Readonly<Record<string, string | null>> | null;
  };
}

/** What the annotation of a workload says; undefined where it says nothing that makes sense. */
export function readNote({ metadata }: ScaledObject): ScaleNote | undefined {
  try {
    const note: Partial<ScaleNote> | null = JSON.parse(metadata?.annotations?.[scaleAnnotation] ?? "null");
    const { replicas = 0, since = "", by = "" } = note ?? {};
    return Number.isSafeInteger(replicas) && replicas > 0 ? { replicas, since, by } : undefined;
  } catch {
    return undefined; // somebody has edited it
  }
}

/** The patch that notes how many replicas a workload has, for a Service. */
export function notingPatch({ metadata }: ScaledObject, service: string, note: ScaleNote): NotePatch {
  return {
    metadata: {
      resourceVersion: metadata?.resourceVersion ?? "",
      labels: { [labels.service]: service },
      annotations: { [scaleAnnotation]: JSON.stringify(note) },
    },
  };
}

/** The patch that takes the note away. */
export function forgettingPatch({ metadata }: ScaledObject): NotePatch {
  return {
    metadata: {
      resourceVersion: metadata?.resourceVersion ?? "",
      labels: without(metadata?.labels, labels.service),
      annotations: without(metadata?.annotations, scaleAnnotation),
    },
  };
}

/** Where ours is the only key, the map itself was not there before. */
function without(map: Readonly<Record<string, string>> = {}, key: string): Record<string, null> | null {
  return Object.keys(map).some((other) => other !== key) ? { [key]: null } : null;
}
