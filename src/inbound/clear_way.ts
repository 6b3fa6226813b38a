import type { V1Deployment } from "@kubernetes/client-node";
import { type Api, ApiError } from "../cluster/api.ts";
import type { Clock } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import type { LocalProcess } from "../platform/local_process.ts";
import { variantOf } from "./agent_manifests.ts";
import type { Lease } from "./lease.ts";
import { LeaseSightings } from "./lease_sightings.ts";
import { labels, manager } from "./names.ts";
import { readHolding } from "./participation.ts";
import { paths } from "./paths.ts";
import { restoreService } from "./restore_service.ts";
import { scaleAnnotation, type ScaledObject } from "./scale_note.ts";
import { unlessGone } from "./unless_gone.ts";
import type { Variant } from "./variant.ts";

/** Whose way is to be clear. */
export interface ClearWayOptions {
  readonly namespace: string;
  readonly service: string;
  /** What the newcomer wants; undefined for what several developers can share. */
  readonly variant: Variant["kind"] | undefined;
}

/** What clearing the way uses of the world. */
export interface ClearWayDeps {
  readonly api: Api;
  readonly clock: Clock;
  /** See `LockDeps`. */
  readonly process?: LocalProcess;
  readonly onProgress?: (state: string) => void;
}

const interval = 2_000;

/**
 * Sees to it that nobody stands where an agent is to be whom it cannot share with: an agent of a variant serves one developer. What laptops that died have left is
 * put back; whether they died is told by their Leases, which have to be watched until 40 s have passed since they last renewed them. Rejects with a {@linkcode Failure} that names whoever lives, before anything is
 * changed. To be called with the Service's lock held.
 */
export async function clearWay(options: ClearWayOptions, deps: ClearWayDeps, signal: AbortSignal): Promise<void> {
  const { namespace, service, variant } = options;
  const { api, clock, onProgress } = deps;
  if (variant === undefined && !await heldAlone(options, api, signal)) return;
  const sightings = new LeaseSightings(clock, deps.process);
  const labelSelector = `${labels.service}=${service},${labels.owner}`;
  for (;; await clock.sleep(interval, signal)) {
    const { items, date } = await api.list<Lease>(paths.leases(namespace), { labelSelector }, signal);
    const seen = items.map((lease) => ({ lease, liveness: sightings.see(lease, date) }));
    const alive = seen.find(({ liveness }) => liveness === "alive");
    if (alive) throw taken(options, alive.lease);
    if (seen.every(({ liveness }) => liveness === "expired")) {
      await restoreService({ namespace, service }, deps, signal);
      for (const { lease } of seen) {
        await unlessGone(api.delete(`${paths.leases(namespace)}/${lease.metadata.name}`, undefined, signal));
      }
      return;
    }
    const owners = [...new Set(seen.map(({ lease }) => lease.spec?.holderIdentity ?? "somebody"))].join(", ");
    onProgress?.(`Service "${service}" is held by ${owners}; watching for up to 40 s whether they live…`);
  }
}

/** Whether an agent of a variant, or what it has changed, is there. */
async function heldAlone(
  { namespace, service }: ClearWayOptions,
  api: Api,
  signal: AbortSignal,
): Promise<boolean> {
  const query = { labelSelector: `${labels.service}=${service}` };
  const [deployments, statefulSets] = await Promise.all([
    api.list<V1Deployment>(paths.scalables(namespace, "deployments"), query, signal),
    api.list<ScaledObject>(paths.scalables(namespace, "statefulsets"), query, signal).catch((error) => {
      if (error instanceof ApiError && error.status === 403) return { items: [] };
      throw error;
    }),
  ]);
  return deployments.items.some((each) => each.metadata?.labels?.[labels.managedBy] === manager && variantOf(each)) ||
    [...deployments.items, ...statefulSets.items].some(({ metadata }) =>
      metadata?.annotations?.[scaleAnnotation] !== undefined
    );
}

function taken({ namespace, service, variant }: ClearWayOptions, { metadata, spec }: Lease): Failure {
  const { kind = "exchange", variant: theirs } = readHolding(metadata) ?? {};
  const verb = { exchange: "exchanges", mesh: "meshes", preview: "previews", relay: "uses" }[kind];
  const how = theirs && theirs !== "external" ? ` with --mode ${theirs}` : "";
  const why = variant === undefined || variant === theirs
    ? "which one developer at a time can have"
    : "and this needs it for you alone";
  return new Failure(
    `${
      spec?.holderIdentity ?? "Somebody"
    } ${verb} service "${service}"${how}, ${why}. Wait until they are done; if nobody needs it any more: hawser recover ${service} -n ${namespace}`,
  );
}
