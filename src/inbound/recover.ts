import { finishingWrites } from "./finishing_writes.ts";
import { type Lease } from "./lease.ts";
import { labels } from "./names.ts";
import { paths } from "./paths.ts";
import { type Restored, restoreService } from "./restore_service.ts";
import type { ScaleBackDeps } from "./scale_back.ts";
import { type LockDeps, withServiceLock } from "./service_lock.ts";
import { unlessGone } from "./unless_gone.ts";

/** Which Service, and for whom. */
export interface RecoverOptions {
  readonly namespace: string;
  readonly service: string;
  /** Who does it, for people who wait meanwhile. */
  readonly holder: string;
  /** Says no where somebody lives whom it must not disturb; asked with the lock held, with the date of the list they come from. Default: nobody is spared. */
  readonly unless?: (participants: readonly Lease[], date: number | undefined) => boolean;
  readonly onWait?: (holder: string) => void;
}

/** What was done, and to whom it was done. */
export interface Recovered extends Restored {
  /** Participants that were ended: `alice@laptop`. */
  readonly ended: readonly string[];
}

/**
 * Puts one Service back, whatever its state, and removes everything of hawser's that belongs to it. Whoever takes part still notices that their Lease
 * is gone and ends. Undefined where `unless` has said no. Rejects as {@linkcode restoreService} does.
 */
export async function recover(
  options: RecoverOptions,
  deps: ScaleBackDeps & LockDeps,
  signal: AbortSignal,
): Promise<Recovered | undefined> {
  const { namespace, service, unless } = options;
  const { clock, process } = deps;
  const api = finishingWrites(deps.api, clock);
  return await withServiceLock(options, { api, clock, process }, signal, async (signal) => {
    const labelSelector = `${labels.service}=${service},${labels.owner}`;
    const { items, date } = await api.list<Lease>(paths.leases(namespace), { labelSelector }, signal);
    if (unless?.(items, date)) return undefined;
    // Before all else: who finds the agent gone and the Lease still there would make the agent anew.
    for (const { metadata } of items) {
      await unlessGone(api.delete(`${paths.leases(namespace)}/${metadata.name}`, undefined, signal));
    }
    const restored = await restoreService(options, { api, clock }, signal);
    return { ...restored, ended: items.map(({ spec }) => spec?.holderIdentity ?? "somebody") };
  });
}
