import type { PodObject } from "./pod_object.ts";

/** Whether a pod's condition `Ready` is true. */
export function podReady(pod: PodObject): boolean {
  return pod.status.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ?? false;
}
