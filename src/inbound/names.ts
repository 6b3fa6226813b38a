import { createHash } from "node:crypto";

/** Labels of what stands in the cluster while traffic is diverted. */
export const labels = {
  /** `app.kubernetes.io/managed-by=hawser` is on every object of ours. */
  managedBy: "app.kubernetes.io/managed-by",
  /** The Service that an object is for. */
  service: "hawser.dev/service",
  /** On agent pods: the Service they stand in for. A diverted Service selects by this label alone. */
  agent: "hawser.dev/agent",
  /** On Leases of participants: the owner's id. */
  owner: "hawser.dev/owner",
} as const;

/** Value of {@linkcode labels.managedBy}. */
export const manager = "hawser";

/** Finds every object of ours. */
export const ours = `${labels.managedBy}=${manager}`;

/** Names of the objects for one Service. */
export interface ObjectNames {
  /** Deployment, Secret and ConfigMap. */
  readonly agent: string;
  /** The Service that keeps the original pods. */
  readonly origin: string;
  /** The Lease that is held while objects are made and removed. */
  readonly lock: string;
}

/** What begins the names that relays have where agents have their Service's: no Service has a dot in its name. */
const relayPrefix = "relay.";

/** The name under which a user's relay stands where agents have that of their Service: `relay.alice`. `user` may be any text. */
export function relayName(user: string): string {
  const plain = user.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").slice(0, 40).replaceAll(/^-|-$/g, "");
  return `${relayPrefix}${plain || "somebody"}`;
}

/** Whose relay a {@linkcode relayName} means; undefined for the name of a Service. */
export function relayUser(name: string): string | undefined {
  return name.startsWith(relayPrefix) ? name.slice(relayPrefix.length) : undefined;
}

/** What an agent is for, in a sentence: `service "orders"`, `the relay of "alice"`. */
export function agentPurpose(name: string): string {
  const user = relayUser(name);
  return user === undefined ? `service "${name}"` : `the relay of "${user}"`;
}

/** Names of the objects for the Service `service`, whose own name has at most 63 characters, or for a relay. */
export function objectNames(service: string): ObjectNames {
  const user = relayUser(service);
  if (user !== undefined) return { agent: `hawser-relay-${user}`, origin: "", lock: `hawser-${service}` };
  return {
    agent: withSuffix(service, "-hawser"),
    origin: withSuffix(service, "-hawser-origin"),
    lock: `hawser-${service}`,
  };
}

/** The name under which an agent stands among the pods of a Service: `orders-blue`. `version` is the value of a label. */
export function manualName(service: string, version: string): string {
  return withSuffix(service, `-${version.toLowerCase().replaceAll(/[._]/g, "-")}`);
}

/** Name of the Lease by which one owner tells that they are there. */
export function participantName(service: string, owner: string): string {
  return `hawser-${service}-${owner}`;
}

/** Names of Services and pods end at 63 characters; what is longer gives way to a hash, so that two of them stay two. */
function withSuffix(name: string, suffix: string): string {
  const whole = name + suffix;
  if (whole.length <= 63) return whole;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, 62 - suffix.length - hash.length)}-${hash}${suffix}`;
}
