import type { Log } from "../platform/log.ts";
import { clean } from "./clean.ts";
import { agentPurpose, relayUser } from "./names.ts";
import type { LockDeps } from "./service_lock.ts";

/** Finishes what laptops that died have left in a namespace, but for what belongs to `own`. Takes up to 44 s. Rejects as `clean` does. */
export async function finishForOthers(
  { namespace, own, holder }: { readonly namespace: string; readonly own: string; readonly holder: string },
  deps: LockDeps & { readonly log: Log },
  signal: AbortSignal,
): Promise<void> {
  const except = [`${namespace}/${own}`];
  for (const { held, ...rest } of await clean({ namespace, dryRun: false, holder, except }, deps, signal)) {
    const name = agentPurpose(held.service);
    if (rest.outcome === "failed") deps.log.debug(`${name}: ${rest.error.message}`);
    else if (rest.outcome === "restored") {
      const what = relayUser(held.service) === undefined ? `Put ${name} back` : `Removed ${name}`;
      deps.log.event(`${what}, which a hawser that died had left`);
    }
  }
}
