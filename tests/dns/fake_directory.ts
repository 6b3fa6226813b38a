import { parseClusterName } from "../../src/cluster/cluster_name.ts";
import { formatDashedAddress } from "../../src/cluster/dashed_address.ts";
import type { Directory, Endpoint, Lookup, Service } from "../../src/cluster/directory.ts";

/** A service with what the tests say about it. */
export function service(name: string, rest: Partial<Service> = {}): Service {
  return {
    namespace: "dev",
    name,
    kind: "ClusterIP",
    clusterIPs: [],
    externalName: "",
    ports: [],
    selector: {},
    affinity: 0,
    publishNotReadyAddresses: false,
    ...rest,
  };
}

/** A ready endpoint with what the tests say about it. */
export function endpoint(addresses: readonly string[], rest: Partial<Endpoint> = {}): Endpoint {
  return {
    addresses,
    hostname: "",
    pod: undefined,
    ready: true,
    serving: true,
    terminating: false,
    ports: [],
    ...rest,
  };
}

/** What the fake cluster holds. */
export interface Scene {
  readonly services: readonly (readonly [Service, ...Endpoint[]])[];
  /** Namespaces beside those of the services. */
  readonly namespaces?: readonly string[];
  /** Addresses of pods. */
  readonly pods?: readonly string[];
  /** Thrown by every look-up. */
  readonly failure?: Error;
}

/** A directory of a fixed scene; the connected namespace is `dev`, the zone `cluster.local`. */
export function fakeDirectory({ services, namespaces = [], pods = [], failure }: Scene): Directory {
  const place = { namespace: "dev", zone: "cluster.local" };
  const known = new Set(["dev", ...namespaces, ...services.map(([{ namespace }]) => namespace)]);

  /** Follows ExternalName services as the real one does. */
  function look(host: string): Lookup {
    const found = find(host);
    if (found.kind !== "service" || found.service.kind !== "ExternalName") return found;
    const next = look(found.service.externalName);
    if (next.kind === "missing") return { ...next, via: [found.service, ...next.via ?? []] };
    if (next.kind !== "service" && next.kind !== "endpoint") return found;
    return { ...next, via: [found.service, ...next.via ?? []] };
  }

  function find(host: string): Lookup {
    const name = parseClusterName(host, place);
    switch (name.kind) {
      case "foreign":
        return { kind: "foreign" };
      case "address": {
        const { address } = name;
        const entry = services.find(([service]) => service.clusterIPs.includes(address));
        if (entry) return { kind: "service", service: entry[0] };
        if (!pods.includes(address)) return { kind: "foreign" };
        const pod = { namespace: "dev", name: "some-pod", uid: "1", ips: [address], hostname: "", subdomain: "" };
        const state = { labels: {}, phase: "Running", ready: true, terminating: false, reason: "", ports: [] };
        return { kind: "pod", pod: { ...pod, ...state } };
      }
      case "name":
        for (const candidate of name.candidates) {
          if (candidate.kind === "zone") return { kind: "empty" };
          if (!known.has(candidate.namespace)) continue;
          if (candidate.kind === "namespace") return { kind: "empty" };
          if (candidate.kind === "pod" || candidate.kind === "port") continue;
          const entry = services.find(([{ namespace, name }]) =>
            namespace === candidate.namespace && name === candidate.service
          );
          if (!entry) continue;
          const [service, ...endpoints] = entry;
          if (candidate.kind === "service") return { kind: "service", service };
          const endpoint = endpoints.find(({ hostname, addresses }) =>
            [hostname, ...addresses.map(formatDashedAddress)].includes(candidate.hostname)
          );
          if (endpoint) return { kind: "endpoint", service, endpoint };
        }
        return name.qualified ? { kind: "missing", message: `nothing is called "${host}"` } : { kind: "foreign" };
    }
  }

  return {
    ...place,
    namespaces: ["dev"],
    lookup: (host) => failure ? Promise.reject(failure) : Promise.resolve(look(host)),
    endpoints: (service) => Promise.resolve(services.find(([one]) => one === service)?.slice(1) as Endpoint[] ?? []),
    pods: () => Promise.resolve([]),
    hasPod: () => undefined,
    services: () => services.map(([service]) => service),
    onChange: () => () => {},
    close() {},
  };
}
