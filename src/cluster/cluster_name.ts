import { formatIp, parseIp } from "../platform/ip_address.ts";
import { parseDashedAddress } from "./dashed_address.ts";

/** One thing that a name could stand for in the cluster, by Kubernetes' DNS specification 1.1.0. */
export type NameCandidate =
  /** `service.namespace.svc.zone` */
  | { readonly kind: "service"; readonly namespace: string; readonly service: string }
  /** `hostname.service.namespace.svc.zone`; the host name may be a dashed address. */
  | { readonly kind: "endpoint"; readonly namespace: string; readonly service: string; readonly hostname: string }
  /** `_port._protocol.service.namespace.svc.zone`, which has SRV records only. */
  | {
    readonly kind: "port";
    readonly namespace: string;
    readonly service: string;
    readonly port: string;
    readonly protocol: "TCP" | "UDP" | "SCTP";
  }
  /** `10-1-2-3.namespace.pod.zone` */
  | { readonly kind: "pod"; readonly namespace: string; readonly address: string }
  /** `namespace.svc.zone` and `namespace.pod.zone`: no address, but no error where the namespace exists. */
  | { readonly kind: "namespace"; readonly namespace: string }
  /** The zone itself, `svc.zone`, `pod.zone`: they exist and have no address. */
  | { readonly kind: "zone" };

/** What a host text could mean in the cluster, before anybody looks whether it is there. */
export type ClusterName =
  /** An IP address in its usual form; an IPv4-mapped one as IPv4. */
  | { readonly kind: "address"; readonly address: string }
  /**
   * A name, with all it could stand for, the first that exists wins. `qualified` ones lie under the cluster's zone and are nobody
   * else's: without candidates they mean nothing anywhere.
   */
  | { readonly kind: "name"; readonly qualified: boolean; readonly candidates: readonly NameCandidate[] }
  /** Certainly none of the cluster's. */
  | { readonly kind: "foreign" };

const foreign: ClusterName = { kind: "foreign" };

/** Characters of any name we may meet; asked before lower-casing, which would turn the Kelvin sign into a k. */
const nameCharacters = /^[a-z0-9_.-]{1,254}$/i;
/** RFC 1123 label. */
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** RFC 2782 label of a port: an underscore before an RFC 1123 label, 63 characters together. */
const underscored = /^_[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?$/;
const protocols: ReadonlyMap<string, "TCP" | "UDP" | "SCTP"> = new Map([["_tcp", "TCP"], ["_udp", "UDP"], [
  "_sctp",
  "SCTP",
]]);

/**
 * What `host` could mean for a pod of `namespace` in a cluster whose zone is `zone` (lower case, no trailing dot). Total: any text has
 * an answer. Case and one trailing dot do not matter.
 *
 * A short name means what a pod's resolver makes of it with the usual `search namespace.svc.zone svc.zone zone`: `a.b` is first the
 * endpoint `a` of our service `b`, then the service `a` in the namespace `b`. Names under the zone are not searched for again, and
 * bare namespaces count only in full: else every word would be a name of the cluster's.
 */
export function parseClusterName(
  host: string,
  { namespace, zone }: { readonly namespace: string; readonly zone: string },
): ClusterName {
  const text = host.endsWith(".") ? host.slice(0, -1) : host;
  const bytes = parseIp(text);
  if (bytes) return { kind: "address", address: formatIp(bytes) };
  if (text.length > 253 || !nameCharacters.test(text)) return foreign;
  const name = text.toLowerCase();
  if (name === zone || name.endsWith(`.${zone}`)) {
    const candidate = interpret(name === zone ? [] : name.slice(0, -zone.length - 1).split("."));
    return { kind: "name", qualified: true, candidates: candidate ? [candidate] : [] };
  }
  const labels = name.split(".");
  const candidates = [[...labels, namespace, "svc"], [...labels, "svc"], labels]
    .map(interpret)
    .filter((candidate) => candidate !== undefined)
    .filter(({ kind }) => kind !== "namespace" && kind !== "zone");
  return candidates.length === 0 ? foreign : { kind: "name", qualified: false, candidates };
}

/** What the labels before the zone stand for. */
function interpret(labels: readonly string[]): NameCandidate | undefined {
  if (labels.length === 0) return { kind: "zone" };
  const [kind, namespace, ...rest] = labels.toReversed();
  if (kind !== "svc" && kind !== "pod") return undefined;
  if (namespace === undefined) return { kind: "zone" };
  if (!label.test(namespace)) return undefined;
  if (rest.length === 0) return { kind: "namespace", namespace };
  return kind === "svc" ? interpretService(namespace, rest) : interpretPod(namespace, rest);
}

function interpretService(namespace: string, [service = "", ...rest]: readonly string[]): NameCandidate | undefined {
  if (!label.test(service)) return undefined;
  const [last, port] = rest;
  if (last === undefined) return { kind: "service", namespace, service };
  if (port === undefined) {
    return label.test(last) || parseDashedAddress(last) !== undefined
      ? { kind: "endpoint", namespace, service, hostname: last }
      : undefined;
  }
  const protocol = protocols.get(last);
  return rest.length === 2 && protocol !== undefined && underscored.test(port)
    ? { kind: "port", namespace, service, port: port.slice(1), protocol }
    : undefined;
}

function interpretPod(namespace: string, [dashed = "", ...rest]: readonly string[]): NameCandidate | undefined {
  const address = rest.length === 0 ? parseDashedAddress(dashed) : undefined;
  return address === undefined ? undefined : { kind: "pod", namespace, address };
}
