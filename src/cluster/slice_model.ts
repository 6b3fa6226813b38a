import type { V1Endpoints, V1EndpointSlice } from "@kubernetes/client-node";
import { canonicalAddress } from "./canonical_address.ts";
import type { Endpoint, Pod, Service } from "./directory.ts";

type Ports = Endpoint["ports"];

/** The label that ties an EndpointSlice to its Service. */
export const serviceNameLabel = "kubernetes.io/service-name";

/**
 * The endpoints that one EndpointSlice holds. A missing or null condition counts as Kubernetes says: ready and serving unless told
 * otherwise, terminating only when told. Slices of names (`addressType: FQDN`) have none.
 */
export function endpointsOfSlice(slice: V1EndpointSlice): Endpoint[] {
  if (slice.addressType === "FQDN") return [];
  const ports: Ports = (slice.ports ?? []).map(({ name, port, protocol }) => ({
    name: name ?? "",
    port: port ?? 0,
    protocol: protocol ?? "TCP",
  }));
  return (slice.endpoints ?? []).map(({ addresses, hostname, targetRef, conditions }) => {
    const ready = conditions?.ready ?? true;
    return {
      addresses: addresses.map(canonicalAddress),
      hostname: hostname ?? "",
      pod: podRef(targetRef, slice.metadata?.namespace),
      ready,
      serving: conditions?.serving ?? ready,
      terminating: conditions?.terminating ?? false,
      ports,
    };
  });
}

/** The endpoints of a core/v1 Endpoints object, which clusters before 1.21 have in the place of slices. */
export function endpointsOfEndpoints({ metadata, subsets }: V1Endpoints): Endpoint[] {
  return (subsets ?? []).flatMap((subset) => {
    const ports: Ports = (subset.ports ?? []).map(({ name, port, protocol }) => ({
      name: name ?? "",
      port,
      protocol: protocol ?? "TCP",
    }));
    return [[subset.addresses, true] as const, [subset.notReadyAddresses, false] as const].flatMap((
      [addresses, ready],
    ) =>
      (addresses ?? []).map(({ ip, hostname, targetRef }) => ({
        addresses: [canonicalAddress(ip)],
        hostname: hostname ?? "",
        pod: podRef(targetRef, metadata?.namespace),
        ready,
        serving: ready,
        terminating: false,
        ports,
      }))
    );
  });
}

/** The endpoints that Kubernetes would make of a service's pods, for users who may read pods but neither slices nor Endpoints. */
export function endpointsOfPods(service: Service, pods: readonly Pod[]): Endpoint[] {
  return pods
    .filter(({ phase, ips }) => phase !== "Succeeded" && phase !== "Failed" && ips.length > 0)
    .map((pod) => ({
      addresses: pod.ips,
      hostname: pod.subdomain === service.name ? pod.hostname : "",
      pod: { namespace: pod.namespace, name: pod.name, uid: pod.uid },
      ready: service.publishNotReadyAddresses || (pod.ready && !pod.terminating),
      serving: pod.ready,
      terminating: pod.terminating,
      ports: service.ports.flatMap(({ name, protocol, targetPort }) => {
        const port = typeof targetPort === "number"
          ? targetPort
          : pod.ports.find((port) => port.name === targetPort && port.protocol === protocol)?.port;
        return port === undefined ? [] : [{ name, port, protocol }];
      }),
    }));
}

function podRef(
  target:
    | { readonly kind?: string; readonly namespace?: string; readonly name?: string; readonly uid?: string }
    | undefined,
  namespace: string | undefined,
): Endpoint["pod"] {
  if (target?.kind !== "Pod" || !target.name) return undefined;
  return { namespace: target.namespace ?? namespace ?? "", name: target.name, uid: target.uid ?? "" };
}
