import type { Endpoint, PodRef } from "./directory.ts";

/**
 * Makes one list of the endpoints of all slices of a service: one entry for each pod (by uid), or for each address where no pod is
 * known. An endpoint stands in several slices when it has addresses of both families and while it moves from one slice to another;
 * addresses and ports are united, and the better condition wins, because the slices change one after the other.
 *
 * `podAt` knows pods by address: endpoints that somebody made by hand name no pod, but may well be one's address. Sorted by pod name,
 * then address: a stable order.
 */
export function mergeEndpoints(
  endpoints: readonly Endpoint[],
  podAt: (address: string) => PodRef | undefined,
): Endpoint[] {
  const merged = new Map<string, Endpoint>();
  for (const endpoint of endpoints) {
    const pod = endpoint.pod ?? podOf(endpoint, podAt);
    const key = pod ? pod.uid || `${pod.namespace}/${pod.name}` : endpoint.addresses[0] ?? "";
    const other = merged.get(key);
    merged.set(key, other ? unite(other, endpoint) : { ...endpoint, pod });
  }
  return [...merged.values()].toSorted((a, b) => compare(orderKey(a), orderKey(b)));
}

function podOf({ addresses }: Endpoint, podAt: (address: string) => PodRef | undefined): PodRef | undefined {
  for (const address of addresses) {
    const pod = podAt(address);
    if (pod) return { namespace: pod.namespace, name: pod.name, uid: pod.uid };
  }
  return undefined;
}

function unite(a: Endpoint, b: Endpoint): Endpoint {
  const addresses = [...new Set([...a.addresses, ...b.addresses])];
  const others = b.ports.filter(({ name, port, protocol }) =>
    !a.ports.some((known) => known.name === name && known.port === port && known.protocol === protocol)
  );
  return {
    ...a,
    addresses: addresses.toSorted((one, other) => Number(one.includes(":")) - Number(other.includes(":"))),
    hostname: a.hostname || b.hostname,
    ready: a.ready || b.ready,
    serving: a.serving || b.serving,
    terminating: a.terminating && b.terminating,
    ports: others.length === 0 ? a.ports : [...a.ports, ...others],
  };
}

function orderKey({ pod, addresses }: Endpoint): string {
  return pod ? `${pod.namespace}/${pod.name}/${pod.uid}` : `~${addresses[0]}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
