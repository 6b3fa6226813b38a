import type { V1Service } from "@kubernetes/client-node";
import { type Api, ApiError } from "../cluster/api.ts";
import { objectNames } from "./names.ts";
import { paths } from "./paths.ts";
import { diversionOf, readUndo, restoringPatch } from "./undo.ts";
import { unlessGone } from "./unless_gone.ts";

const conflictRetries = 5;

/**
 * Gives a Service its selector back, as far as it is ours to give; false where there was nothing to do, or no such Service. Rejects with an ApiError, or a
 * Failure where nothing tells what the selector was.
 */
export async function restoreSelector(
  namespace: string,
  service: string,
  api: Api,
  signal: AbortSignal,
): Promise<boolean> {
  const path = `${paths.services(namespace)}/${service}`;
  for (let attempt = 1;; attempt++) {
    const found = await unlessGone(api.get<V1Service>(path, {}, signal));
    if (!found) return false;
    const lost = diversionOf(found) === "diverted" && readUndo(found) === undefined;
    const origin = lost
      ? await unlessGone(
        api.get<V1Service>(`${paths.services(namespace)}/${objectNames(service).origin}`, {}, signal),
      )
      : undefined;
    const patch = restoringPatch(found, origin?.spec?.selector);
    if (!patch) return false;
    try {
      await api.patch(path, "merge", patch, {}, signal);
      return patch.spec !== undefined;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 404) return false;
      if (error.status !== 409 || attempt > conflictRetries) throw error;
    }
  }
}
