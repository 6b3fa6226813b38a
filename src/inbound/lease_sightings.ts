import type { Clock } from "../platform/clock.ts";
import type { Lease } from "./lease.ts";

/** What is known of a Lease's holder. */
export type Liveness =
  /** It has renewed the Lease before our eyes, not long ago. */
  | "alive"
  /** It has not renewed it for as long as the Lease lasts. */
  | "expired"
  /** We have not looked for long enough. */
  | "unknown";

/**
 * Tells living holders of Leases from dead ones by what changes before our own eyes: the times in a Lease are its holder's, whose clock may be
 * hours off.
 */
export class LeaseSightings {
  readonly #clock: Pick<Clock, "now">;
  readonly #seen = new Map<string, { version: string; at: number; renewed: boolean }>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Takes note of a Lease as it is now, and says what that tells. */
  see(lease: Lease): Liveness {
    const { uid = "", resourceVersion = "" } = lease.metadata;
    const now = this.#clock.now();
    const before = this.#seen.get(uid);
    if (before?.version !== resourceVersion) {
      this.#seen.set(uid, { version: resourceVersion, at: now, renewed: before !== undefined });
      return before === undefined ? "unknown" : "alive";
    }
    if (now - before.at >= (lease.spec?.leaseDurationSeconds ?? 0) * 1000) return "expired";
    return before.renewed ? "alive" : "unknown";
  }
}
