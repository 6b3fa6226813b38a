import type { V1Deployment, V1Service, V1StatefulSet } from "@kubernetes/client-node";
import { type Api, ApiError, type ListResult } from "../cluster/api.ts";
import { variantOf } from "./agent_manifests.ts";
import type { Lease } from "./lease.ts";
import { labels, manager, ours, relayUser } from "./names.ts";
import { type Holding, readHolding } from "./participation.ts";
import { describeScalable, type Scalable } from "./scalable.ts";
import { readNote, type ScaledObject, type ScaleNote } from "./scale_note.ts";
import { diversionOf, readUndo, type Undo, undoAnnotation } from "./undo.ts";

/** A Service to which something of hawser's belongs, or a relay. */
export interface Held {
  readonly namespace: string;
  readonly service: string;
  /** Whether the Service itself exists and is diverted, has its workload scaled to zero, is a preview's own, or an agent stands among its pods. */
  readonly state: "diverted" | "scaled" | "manual" | "preview" | "relay" | "none";
  /** What the Service was; undefined where it is not diverted. */
  readonly undo: Undo | undefined;
  /** The workload that was scaled to zero, as `deployment/orders`, and what it was. */
  readonly scaled: (ScaleNote & { readonly workload: string }) | undefined;
  readonly participants: readonly Participant[];
}

/** Somebody who takes part, or took part and died. */
export interface Participant {
  readonly lease: Lease;
  /** When the Lease was seen so, by the API server's clock; see `ListResult`. */
  readonly date: number | undefined;
  /** `alice@laptop`. */
  readonly owner: string;
  readonly since: string;
  /** Undefined where the Lease does not say. */
  readonly holding: Holding | undefined;
}

/** Everything of hawser's in a namespace, or in all that may be seen, by namespace and Service. Rejects as `api.list` does. */
export async function survey(
  api: Api,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<readonly Held[]> {
  const within = namespace === undefined ? "" : `/namespaces/${namespace}`;
  // Agents have it, and workloads that were scaled to zero.
  const labelled = { labelSelector: labels.service };
  const [services, deployments, statefulSets, leases] = await Promise.all([
    api.list<V1Service>(`/api/v1${within}/services`, {}, signal),
    api.list<V1Deployment>(`/apis/apps/v1${within}/deployments`, labelled, signal),
    api.list<V1StatefulSet>(`/apis/apps/v1${within}/statefulsets`, labelled, signal).catch((error) => {
      if (error instanceof ApiError && error.status === 403) return { items: [] }; // who may not see them, scales none
      throw error;
    }),
    api.list<Lease>(`/apis/coordination.k8s.io/v1${within}/leases`, { labelSelector: ours }, signal),
  ]);
  return joined(services.items, deployments.items, statefulSets.items, leases);
}

function joined(
  services: readonly V1Service[],
  deployments: readonly V1Deployment[],
  statefulSets: readonly V1StatefulSet[],
  { items: leases, date }: ListResult<Lease>,
): Held[] {
  const held = new Map<string, { -readonly [K in keyof Held]: Held[K] }>();
  const of = (namespace = "", service = "") => {
    const key = `${namespace}/${service}`;
    let found = held.get(key);
    if (!found) {
      const state = relayUser(service) === undefined ? "none" : "relay";
      held.set(key, found = { namespace, service, state, undo: undefined, scaled: undefined, participants: [] });
    }
    return found;
  };
  for (const service of services) {
    const { namespace, name, labels: given, annotations } = service.metadata ?? {};
    if (given?.[labels.managedBy] === manager) {
      if (given[labels.service] === name) of(namespace, name).state = "preview"; // others are origin Services
    } else if (diversionOf(service) !== "none" || annotations?.[undoAnnotation] !== undefined) {
      Object.assign(of(namespace, name), { state: "diverted", undo: readUndo(service) });
    }
  }
  const seeScaled = (resource: Scalable["resource"], object: ScaledObject) => {
    const { namespace, name = "", labels: given } = object.metadata ?? {};
    const note = readNote(object);
    if (!note) return;
    const scaled = { workload: describeScalable({ resource, name }), ...note };
    Object.assign(of(namespace, given?.[labels.service]), { state: "scaled", scaled });
  };
  for (const deployment of deployments) {
    const { namespace, labels: given } = deployment.metadata ?? {};
    if (given?.[labels.managedBy] !== manager) seeScaled("deployments", deployment);
    else {
      const entry = of(namespace, given[labels.service]);
      if (variantOf(deployment) === "manual") entry.state = "manual";
    }
  }
  for (const set of statefulSets) seeScaled("statefulsets", set);
  for (const lease of leases) {
    const { namespace, labels: given } = lease.metadata;
    const entry = of(namespace, given?.[labels.service]);
    if (given?.[labels.owner] === undefined) continue; // a lock
    entry.participants = [...entry.participants, toParticipant(lease, date)];
  }
  return [...held.values()].sort((a, b) =>
    a.namespace.localeCompare(b.namespace) || a.service.localeCompare(b.service)
  );
}

function toParticipant(lease: Lease, date: number | undefined): Participant {
  return {
    lease,
    date,
    owner: lease.spec?.holderIdentity ?? "somebody",
    since: lease.spec?.acquireTime ?? lease.metadata.creationTimestamp ?? "",
    holding: readHolding(lease.metadata),
  };
}
