import type { Clock } from "../platform/clock.ts";
import type { LocalProcess } from "../platform/local_process.ts";
import { type Lease, processAnnotation } from "./lease.ts";
import { leaseQuiet, serverTolerance } from "./lease_quiet.ts";

/** What is known of a Lease's holder. */
export type Liveness =
  /** It has renewed the Lease before our eyes, not long ago. */
  | "alive"
  /** It has not renewed it for as long as the Lease lasts, or is no more. */
  | "expired"
  /** We have not looked for long enough. */
  | "unknown";

/**
 * Tells living holders of Leases from dead ones. The times in a Lease are its holder's, whose clock may be hours off: whose Lease has run out by the API server's own clock
 * is dead, as is a process of this machine that is no more; of the others those live who renew theirs before our own eyes. Who has renewed a moment ago may have died since.
 */
export class LeaseSightings {
  readonly #clock: Pick<Clock, "now">;
  readonly #process: Pick<LocalProcess, "isGone"> | undefined;
  readonly #seen = new Map<string, { version: string; at: number; renewed: boolean }>();

  constructor(clock: Pick<Clock, "now">, process: Pick<LocalProcess, "isGone"> | undefined) {
    this.#clock = clock;
    this.#process = process;
  }

  /** Takes note of a Lease as it is now, and says what that tells. `date` is that of the list it comes from; without, it has to be watched for as long as it lasts. */
  see(lease: Lease, date: number | undefined): Liveness {
    const { uid = "", resourceVersion = "", annotations } = lease.metadata;
    if (this.#process?.isGone(annotations?.[processAnnotation])) return "expired";
    const now = this.#clock.now();
    const lasts = (lease.spec?.leaseDurationSeconds ?? 0) * 1000;
    const before = this.#seen.get(uid);
    if (before?.version !== resourceVersion) {
      this.#seen.set(uid, { version: resourceVersion, at: now, renewed: before !== undefined });
      if (before) return "alive";
      return (leaseQuiet(lease, date) ?? 0) > lasts + serverTolerance ? "expired" : "unknown";
    }
    if (now - before.at >= lasts || (leaseQuiet(lease, date) ?? 0) > lasts + serverTolerance) return "expired";
    return before.renewed ? "alive" : "unknown";
  }
}
