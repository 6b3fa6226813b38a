import type { V1EndpointSlice, V1Pod, V1Service } from "@kubernetes/client-node";
import { type Api, ApiError } from "../cluster/api.ts";
import { serviceNameLabel } from "../cluster/slice_model.ts";
import { paths } from "./paths.ts";
import { type PlanInput } from "./plan.ts";
import { diversionOf, readUndo } from "./undo.ts";

/** What is known of a Service, with the selector that it had before anybody diverted it. Rejects as `api.get` does; 404 where there is none. */
export async function readService(
  namespace: string,
  name: string,
  api: Api,
  signal: AbortSignal,
): Promise<PlanInput & { readonly current: V1Service }> {
  const current = await api.get<V1Service>(`${paths.services(namespace)}/${name}`, {}, signal);
  const undo = diversionOf(current) === "none" ? undefined : readUndo(current);
  const service = undo && current.spec
    ? { ...current, spec: { ...current.spec, selector: { ...undo.selector } } }
    : current;
  const labelSelector = Object.entries(service.spec?.selector ?? {}).map(([key, value]) => `${key}=${value}`).join(",");
  const [slices, pods] = await Promise.all([
    unlessForbidden(
      api.list<V1EndpointSlice>(paths.slices(namespace), { labelSelector: `${serviceNameLabel}=${name}` }, signal),
    ),
    labelSelector === "" ? [] : unlessForbidden(api.list<V1Pod>(paths.pods(namespace), { labelSelector }, signal)),
  ]);
  return { current, service, slices, pods };
}

/** What may not be read only makes us know less. */
async function unlessForbidden<T>(list: Promise<{ readonly items: readonly T[] }>): Promise<readonly T[]> {
  try {
    return (await list).items;
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return [];
    throw error;
  }
}
