import type { KubeObject } from "./kube_object.ts";

/** Turns an object into what the client's `Accept` asks for: itself, or its metadata alone (`as=PartialObjectMetadata`). */
export function representation(accept: string | undefined): (object: KubeObject) => KubeObject {
  if (!wantsMetadata(accept)) return (object) => object;
  return ({ metadata }) => ({ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata });
}

/** Whether only metadata is asked for. */
export function wantsMetadata(accept: string | undefined): boolean {
  return /as=PartialObjectMetadata(List)?\b/.test(accept?.split(",")[0] ?? "");
}
