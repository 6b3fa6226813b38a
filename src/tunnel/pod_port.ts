import type { PodRef } from "../cluster/directory.ts";

/** A port of a pod. */
export interface PodPort {
  readonly pod: PodRef;
  readonly port: number;
  /** The pod's addresses, where they are known. */
  readonly addresses?: readonly string[];
}

/** Tells one pod from any other, also from one that had its name. */
export function podKey(pod: PodRef): string {
  return `${pod.namespace}/${pod.name}/${pod.uid}`;
}

/** Tells one port of a pod from any other. */
export function portKey({ pod, port }: PodPort): string {
  return `${podKey(pod)}:${port}`;
}

/** A pod in a sentence. */
export function podName(pod: PodRef): string {
  return `pod "${pod.namespace}/${pod.name}"`;
}
