import type { V1Service } from "@kubernetes/client-node";
import { type Api, ApiError } from "../cluster/api.ts";
import type { Clock } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { labels, objectNames } from "./names.ts";
import { paths } from "./paths.ts";
import type { OriginSpec, Plan } from "./plan.ts";
import { diversionOf, divertingPatch, readUndo } from "./undo.ts";

const conflictRetries = 5;

/**
 * Makes a planned Service select its agent, in one patch that carries what undoes it; leaves one alone that does already. `by` is who does it, for people. To be
 * called with the Service's lock held. Rejects with an ApiError, or a {@linkcode Failure} where the Service is not any more what was planned for.
 */
export async function divertService(
  { namespace, service, origin }: Plan,
  by: string,
  { api, clock }: { readonly api: Api; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  if (!origin) return;
  const path = `${paths.services(namespace)}/${service}`;
  for (let attempt = 1, aligned = false;; attempt++) {
    const found = await api.get<V1Service>(path, {}, signal);
    if (diversionOf(found) === "diverted" && readUndo(found)) return;
    const { [labels.agent]: _agent, ...selector } = found.spec?.selector ?? {};
    if (Object.keys(selector).length > 0 && !same(selector, origin.selector)) {
      throw new Failure(
        `Somebody has changed the selector of service "${service}" in namespace "${namespace}" just now; run it again`,
      );
    }
    if (!aligned) await alignOrigin(namespace, service, origin, api, signal);
    aligned = true;
    const undo = { selector: origin.selector, since: new Date(clock.wall()).toISOString(), by };
    try {
      return void await api.patch(path, "merge", divertingPatch(found, undo), {}, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409 || attempt > conflictRetries) throw error;
    }
  }
}

/** The origin Service may be older than the selector: somebody has changed it while an earlier exchange went on. */
async function alignOrigin(
  namespace: string,
  service: string,
  { selector }: OriginSpec,
  api: Api,
  signal: AbortSignal,
): Promise<void> {
  const path = `${paths.services(namespace)}/${objectNames(service).origin}`;
  const { metadata, spec } = await api.get<V1Service>(path, {}, signal);
  const current = spec?.selector ?? {};
  if (same(current, selector)) return;
  const cleared = Object.fromEntries(Object.keys(current).map((key) => [key, null]));
  const patch = {
    metadata: { resourceVersion: metadata?.resourceVersion },
    spec: { selector: { ...cleared, ...selector } },
  };
  await api.patch(path, "merge", patch, {}, signal);
}

function same(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
