import { type Api, ApiError } from "../cluster/api.ts";
import type { Clock } from "../platform/clock.ts";
import { withDeadline } from "../platform/deadline.ts";
import type { Owner } from "../agent/protocol.ts";
import { labelsFor } from "./agent_manifests.ts";
import { type Lease, microTime, processAnnotation } from "./lease.ts";
import { labels, participantName } from "./names.ts";
import { paths } from "./paths.ts";
import type { LockDeps } from "./service_lock.ts";
import { unlessGone } from "./unless_gone.ts";
import type { Variant } from "./variant.ts";

/** What a participant does, kept on its Lease for `hawser status --cluster`. */
export interface Holding {
  readonly kind: "exchange" | "mesh" | "preview" | "relay";
  /** Ports of the Service; none for a relay. */
  readonly ports: readonly number[];
  /** What requests must have, for people: `header version = "blue"`; empty for all of them. */
  readonly mark: string;
  readonly variant?: Variant["kind"];
}

const holdingAnnotation = "hawser.dev/holds";

/** What the annotation of a participant's Lease says; undefined where it says nothing that makes sense. */
export function readHolding({ annotations }: Lease["metadata"]): Holding | undefined {
  try {
    const value: Partial<Holding> | null = JSON.parse(annotations?.[holdingAnnotation] ?? "null");
    const { kind, ports, mark, variant } = value ?? {};
    const known = kind === "exchange" || kind === "mesh" || kind === "preview" || kind === "relay";
    if (!known || !Array.isArray(ports) || typeof mark !== "string") return undefined;
    return { kind, ports, mark, ...typeof variant === "string" && { variant } };
  } catch {
    return undefined; // somebody has edited it
  }
}

/** By what an owner tells that they are there. */
export interface Participation {
  /** Resolves when somebody else has removed the Lease: the owner was taken for dead, or the Service was recovered. */
  readonly removed: Promise<void>;
  /** Stops renewing and deletes the Lease. Rejects as `api.delete` does. */
  leave(signal: AbortSignal): Promise<void>;
  /** Stops renewing and leaves the Lease to expire. */
  abandon(): void;
}

/** Participants renew this often, and count as gone when nothing was renewed for so long. */
export const renewInterval = 10_000;
const leaseSeconds = 40;
/** Milliseconds until a renewal that failed is tried again. */
const retryInterval = 2_000;

/** Begins to take part in a Service: a Lease, renewed every 10 s. Rejects as `api.create` does. */
export async function takePart(
  { namespace, service, owner, holding }: {
    readonly namespace: string;
    readonly service: string;
    readonly owner: Owner;
    readonly holding: Holding;
  },
  { api, clock, process }: LockDeps,
  signal: AbortSignal,
): Promise<Participation> {
  const name = participantName(service, owner.id);
  const path = `${paths.leases(namespace)}/${name}`;
  const now = microTime(clock.wall());
  await api.create<Lease>(paths.leases(namespace), {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name,
      labels: { ...labelsFor(service), [labels.owner]: owner.id },
      annotations: {
        [holdingAnnotation]: JSON.stringify(holding),
        ...process && { [processAnnotation]: process.mark },
      },
    },
    spec: { holderIdentity: owner.name, leaseDurationSeconds: leaseSeconds, acquireTime: now, renewTime: now },
  }, signal);
  return new RenewedLease(path, api, clock);
}

class RenewedLease implements Participation {
  readonly removed: Promise<void>;
  readonly #path: string;
  readonly #api: Api;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #onRemoved = () => {};
  #renewing: Promise<void> = Promise.resolve();
  #stop = () => {};

  constructor(path: string, api: Api, clock: Clock) {
    this.#path = path;
    this.#api = api;
    this.#clock = clock;
    this.removed = new Promise((resolve) => this.#onRemoved = resolve);
    this.#schedule(renewInterval);
  }

  async leave(signal: AbortSignal): Promise<void> {
    this.abandon();
    await this.#renewing;
    await unlessGone(this.#api.delete(this.#path, undefined, signal));
  }

  abandon(): void {
    this.#closing.abort();
    this.#stop();
  }

  #schedule(after: number): void {
    if (this.#closing.signal.aborted) return;
    this.#stop = this.#clock.after(after, () => this.#renewing = this.#renew());
  }

  async #renew(): Promise<void> {
    try {
      const spec = { renewTime: microTime(this.#clock.wall()) };
      const late = () => new Error("no answer");
      const patch = (signal: AbortSignal) => this.#api.patch(this.#path, "merge", { spec }, {}, signal);
      await withDeadline(this.#clock, renewInterval, this.#closing.signal, late, patch);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return this.#onRemoved();
      // The server is away, or asks for patience. Once it is back, others take us for dead until we have renewed.
      return this.#schedule(retryInterval);
    }
    this.#schedule(renewInterval);
  }
}
