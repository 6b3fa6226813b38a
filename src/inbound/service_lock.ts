import { type Api, ApiError } from "../cluster/api.ts";
import type { Clock } from "../platform/clock.ts";
import { withDeadline } from "../platform/deadline.ts";
import { Failure } from "../platform/failure.ts";
import type { LocalProcess } from "../platform/local_process.ts";
import { labelsFor } from "./agent_manifests.ts";
import { type Lease, microTime, processAnnotation } from "./lease.ts";
import { LeaseSightings } from "./lease_sightings.ts";
import { objectNames } from "./names.ts";
import { paths } from "./paths.ts";

/** Whose lock, and for what. */
export interface LockOptions {
  readonly namespace: string;
  readonly service: string;
  /** For people: `alice@laptop`. */
  readonly holder: string;
  /** Told once, with the holder's name, where somebody else has it. */
  readonly onWait?: (holder: string) => void;
}

/** Others may take the lock when it was not renewed for so long. */
const leaseSeconds = 15;
const renewInterval = 5_000;
const retryInterval = 500;

/** What a lock uses of the world. */
export interface LockDeps {
  readonly api: Api;
  readonly clock: Clock;
  /** Who we are to others on this machine, who need not wait once we are no more. */
  readonly process?: LocalProcess;
}

/**
 * Runs `action` while nobody else makes or removes objects for the Service: a Lease, renewed while it runs and deleted afterwards. A holder that has
 * died is waited for until its Lease has stood still for 15 s, but for a process of this machine that is no more. The signal that `action` gets aborts with the caller's, or when the lock is lost.
 */
export async function withServiceLock<T>(
  options: LockOptions,
  { api, clock, process }: LockDeps,
  signal: AbortSignal,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { namespace, service } = options;
  const path = `${paths.leases(namespace)}/${objectNames(service).lock}`;
  const lock = new HeldLock(path, await acquire(options, { api, clock, process }, signal), service, api, clock);
  try {
    return await action(AbortSignal.any([signal, lock.lost]));
  } finally {
    await lock.release();
  }
}

class HeldLock {
  readonly #path: string;
  readonly #service: string;
  readonly #api: Api;
  readonly #clock: Clock;
  readonly #lost = new AbortController();
  #lease: Lease;
  #renewedAt: number;
  #renewing: Promise<void> = Promise.resolve();
  #released = false;
  #stop = () => {};

  constructor(path: string, lease: Lease, service: string, api: Api, clock: Clock) {
    this.#path = path;
    this.#lease = lease;
    this.#service = service;
    this.#api = api;
    this.#clock = clock;
    this.#renewedAt = clock.now();
    this.#schedule();
  }

  /** Aborts when somebody else may have the lock. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Never rejects: what is not released expires. */
  async release(): Promise<void> {
    this.#released = true;
    this.#stop();
    await this.#renewing; // only who knows the last version may delete, so that nobody drops another's lock, though it be late
    const { uid, resourceVersion } = this.#lease.metadata;
    const free = (signal: AbortSignal) =>
      this.#api.delete(this.#path, { preconditions: { uid, resourceVersion } }, signal);
    // The server may be away for a moment; after 15 s others may have it.
    for (const until = this.#clock.now() + leaseSeconds * 1000; this.#clock.now() < until;) {
      try {
        return await this.#bounded(free);
      } catch (error) {
        if (error instanceof ApiError && error.status < 500 && error.status !== 429) return;
      }
      await this.#clock.sleep(retryInterval);
    }
  }

  #schedule(): void {
    if (this.#released) return;
    this.#stop = this.#clock.after(renewInterval, () => this.#renewing = this.#renew());
  }

  async #renew(): Promise<void> {
    const { resourceVersion } = this.#lease.metadata;
    const body = { metadata: { resourceVersion }, spec: { renewTime: microTime(this.#clock.wall()) } };
    try {
      this.#lease = await this.#bounded((signal) => this.#api.patch<Lease>(this.#path, "merge", body, {}, signal));
      this.#renewedAt = this.#clock.now();
    } catch (error) {
      const taken = error instanceof ApiError && [404, 409].includes(error.status);
      if (taken || this.#clock.now() - this.#renewedAt >= leaseSeconds * 1000) {
        this.#lost.abort(new Failure(`The lock of service "${this.#service}" was lost; run the command again`));
        return;
      }
    }
    this.#schedule();
  }

  #bounded<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const never = new AbortController().signal;
    return withDeadline(this.#clock, renewInterval, never, () => new Error("no answer"), action);
  }
}

async function acquire(
  { namespace, service, holder, onWait }: LockOptions,
  { api, clock, process }: LockDeps,
  signal: AbortSignal,
): Promise<Lease> {
  const { lock: name } = objectNames(service);
  const sightings = new LeaseSightings(clock, process);
  let told = false;
  for (;;) {
    const now = microTime(clock.wall());
    const spec = { holderIdentity: holder, leaseDurationSeconds: leaseSeconds, acquireTime: now, renewTime: now };
    const mine = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: {
        name,
        labels: labelsFor(service),
        ...process && { annotations: { [processAnnotation]: process.mark } },
      },
      spec,
    };
    try {
      return await api.create<Lease>(paths.leases(namespace), mine, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || error.reason !== "AlreadyExists") throw error;
    }
    try {
      const theirs = await api.get<Lease>(`${paths.leases(namespace)}/${name}`, {}, signal);
      const { resourceVersion } = theirs.metadata; // whoever else waits loses
      if (sightings.see(theirs, undefined) === "expired") {
        const ours = { [processAnnotation]: process?.mark ?? null };
        return await api.patch<Lease>(
          `${paths.leases(namespace)}/${name}`,
          "merge",
          { metadata: { resourceVersion, annotations: ours }, spec },
          {},
          signal,
        );
      }
      if (!told) onWait?.(theirs.spec?.holderIdentity ?? "somebody");
      told = true;
    } catch (error) {
      // Released, or taken, between our two looks.
      if (!(error instanceof ApiError) || ![404, 409].includes(error.status)) throw error;
    }
    await clock.sleep(retryInterval, signal);
  }
}
