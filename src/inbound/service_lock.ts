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
import { unlessGone } from "./unless_gone.ts";

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
const never = new AbortController().signal;

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
  const lease = new LockLease(`${paths.leases(namespace)}/${objectNames(service).lock}`, api, clock);
  const lock = new HeldLock(lease, await acquire(options, lease, { api, clock, process }, signal), service, clock);
  try {
    return await action(AbortSignal.any([signal, lock.lost]));
  } finally {
    await lock.release();
  }
}

/** The Lease behind a lock. Whose it is tells `acquireTime`: of a write that was not heard of nobody knows whether the server has done it. */
class LockLease {
  readonly path: string;
  readonly api: Api;
  readonly #clock: Clock;

  constructor(path: string, api: Api, clock: Clock) {
    this.path = path;
    this.api = api;
    this.#clock = clock;
  }

  /** The Lease as it is now; undefined where it is gone or somebody else's. */
  async stillOurs(ours: Lease["spec"]): Promise<Lease | undefined> {
    const found = await unlessGone(this.bounded((signal) => this.api.get<Lease>(this.path, {}, signal)));
    const { holderIdentity, acquireTime } = found?.spec ?? {};
    return holderIdentity === ours?.holderIdentity && acquireTime === ours?.acquireTime ? found : undefined;
  }

  /** Deletes it where it is ours. Tries for 15 s, as the server may be away for a moment, but only once more when the signal aborts. Never rejects. */
  async free(ours: Lease["spec"], signal: AbortSignal): Promise<void> {
    const until = this.#clock.now() + leaseSeconds * 1000;
    for (let last = false; !last;) {
      last = signal.aborted || this.#clock.now() >= until;
      try {
        const lease = await this.stillOurs(ours);
        if (!lease) return;
        const { uid, resourceVersion } = lease.metadata;
        return await this.bounded((signal) =>
          this.api.delete(this.path, { preconditions: { uid, resourceVersion } }, signal)
        );
      } catch (error) {
        if (error instanceof ApiError && error.status < 500 && ![409, 429].includes(error.status)) return;
      }
      if (!last) await this.#clock.sleep(retryInterval);
    }
  }

  /** Does what the server has 5 s for. */
  bounded<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return withDeadline(this.#clock, renewInterval, never, () => new Error("no answer"), action);
  }
}

class HeldLock {
  readonly #path: LockLease;
  readonly #service: string;
  readonly #clock: Clock;
  readonly #lost = new AbortController();
  #lease: Lease;
  #renewedAt: number;
  #renewing: Promise<void> = Promise.resolve();
  #released = false;
  #stop = () => {};

  constructor(path: LockLease, lease: Lease, service: string, clock: Clock) {
    this.#path = path;
    this.#lease = lease;
    this.#service = service;
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
    await this.#renewing;
    await this.#path.free(this.#lease.spec, never);
  }

  #schedule(): void {
    if (this.#released) return;
    this.#stop = this.#clock.after(renewInterval, () => this.#renewing = this.#renew());
  }

  async #renew(): Promise<void> {
    try {
      this.#lease = await this.#renewed();
      this.#renewedAt = this.#clock.now();
    } catch (error) {
      const taken = error instanceof ApiError && error.status === 404;
      if (taken || this.#clock.now() - this.#renewedAt >= leaseSeconds * 1000) {
        this.#lost.abort(new Failure(`The lock of service "${this.#service}" was lost; run the command again`));
        return;
      }
    }
    this.#schedule();
  }

  async #renewed(): Promise<Lease> {
    const { path, api } = this.#path;
    const { resourceVersion } = this.#lease.metadata;
    const body = { metadata: { resourceVersion }, spec: { renewTime: microTime(this.#clock.wall()) } };
    try {
      return await this.#path.bounded((signal) => api.patch<Lease>(path, "merge", body, {}, signal));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
      const lease = await this.#path.stillOurs(this.#lease.spec); // our last renewal may have been done without our hearing of it
      if (lease) return lease;
      throw new ApiError(404, "NotFound", "taken by somebody else", "");
    }
  }
}

async function acquire(
  { namespace, service, holder, onWait }: LockOptions,
  lease: LockLease,
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
      if (!(error instanceof ApiError)) await lease.free(spec, signal); // the server may have done it all the same
      if (!(error instanceof ApiError) || error.reason !== "AlreadyExists") throw error;
    }
    try {
      const theirs = await api.get<Lease>(lease.path, {}, signal);
      const { resourceVersion } = theirs.metadata; // whoever else waits loses
      if (sightings.see(theirs, undefined) === "expired") {
        const ours = { [processAnnotation]: process?.mark ?? null };
        return await api.patch<Lease>(
          lease.path,
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
