import type { V1Deployment, V1Service } from "@kubernetes/client-node";
import type { Api, ListResult } from "../cluster/api.ts";
import type { Lease } from "./lease.ts";
import { labels, manager, ours } from "./names.ts";
import { type Holding, holdingAnnotation } from "./participation.ts";
import { diversionOf, readUndo, type Undo, undoAnnotation } from "./undo.ts";

/** A Service to which something of hawser's belongs. */
export interface Held {
  readonly namespace: string;
  readonly service: string;
  /** Whether the Service itself exists and is diverted, or is a preview's own. */
  readonly state: "diverted" | "preview" | "none";
  /** What the Service was; undefined where it is not diverted. */
  readonly undo: Undo | undefined;
  readonly participants: readonly Participant[];
}

/** Somebody who takes part, or took part and died. */
export interface Participant {
  readonly lease: Lease;
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
  const labelSelector = ours;
  const [services, deployments, leases] = await Promise.all([
    api.list<V1Service>(`/api/v1${within}/services`, {}, signal),
    api.list<V1Deployment>(`/apis/apps/v1${within}/deployments`, { labelSelector }, signal),
    api.list<Lease>(`/apis/coordination.k8s.io/v1${within}/leases`, { labelSelector }, signal),
  ]);
  return joined(services, deployments, leases);
}

function joined(
  services: ListResult<V1Service>,
  deployments: ListResult<V1Deployment>,
  leases: ListResult<Lease>,
): Held[] {
  const held = new Map<string, { -readonly [K in keyof Held]: Held[K] }>();
  const of = (namespace = "", service = "") => {
    const key = `${namespace}/${service}`;
    let found = held.get(key);
    if (!found) held.set(key, found = { namespace, service, state: "none", undo: undefined, participants: [] });
    return found;
  };
  for (const service of services.items) {
    const { namespace, name, labels: given, annotations } = service.metadata ?? {};
    if (given?.[labels.managedBy] === manager) {
      if (given[labels.service] === name) of(namespace, name).state = "preview"; // others are origin Services
    } else if (diversionOf(service) !== "none" || annotations?.[undoAnnotation] !== undefined) {
      Object.assign(of(namespace, name), { state: "diverted", undo: readUndo(service) });
    }
  }
  for (const { metadata } of deployments.items) of(metadata?.namespace, metadata?.labels?.[labels.service]);
  for (const lease of leases.items) {
    const { namespace, labels: given } = lease.metadata;
    const entry = of(namespace, given?.[labels.service]);
    if (given?.[labels.owner] === undefined) continue; // a lock
    entry.participants = [...entry.participants, toParticipant(lease)];
  }
  return [...held.values()].sort((a, b) =>
    a.namespace.localeCompare(b.namespace) || a.service.localeCompare(b.service)
  );
}

function toParticipant(lease: Lease): Participant {
  return {
    lease,
    owner: lease.spec?.holderIdentity ?? "somebody",
    since: lease.spec?.acquireTime ?? lease.metadata.creationTimestamp ?? "",
    holding: readHolding(lease.metadata.annotations?.[holdingAnnotation]),
  };
}

function readHolding(text: string | undefined): Holding | undefined {
  try {
    const value: Partial<Holding> | null = JSON.parse(text ?? "null");
    const { kind, ports, mark } = value ?? {};
    const known = kind === "exchange" || kind === "mesh" || kind === "preview";
    return known && Array.isArray(ports) && typeof mark === "string" ? { kind, ports, mark } : undefined;
  } catch {
    return undefined; // somebody has edited it
  }
}
