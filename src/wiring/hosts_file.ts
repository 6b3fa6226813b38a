import type { ServiceListener } from "./service_listeners.ts";

/** One line of a hosts file. */
export interface HostsEntry {
  readonly address: string;
  /** The shortest first. */
  readonly names: readonly string[];
}

/** What a hosts file can say of local ports, and what it cannot. */
export interface HostsFile {
  readonly entries: readonly HostsEntry[];
  /** Ports of services which are not all under one address with their real numbers: a name would lead to something else. */
  readonly rest: readonly ServiceListener[];
}

/**
 * The names of services for those who may edit their hosts file. `namespace` is the one whose services have short names, `zone` the cluster's. A service is
 * among the entries only where every port of it is at its own address.
 */
export function hostsFile(
  listeners: readonly ServiceListener[],
  { namespace, zone }: { readonly namespace: string; readonly zone: string },
): HostsFile {
  const entries: HostsEntry[] = [];
  const rest: ServiceListener[] = [];
  for (const ports of Map.groupBy(listeners, (each) => `${each.service}.${each.namespace}`).values()) {
    const [{ service, namespace: own, address }] = ports as [ServiceListener, ...ServiceListener[]]; // groups are never empty
    if (ports.some((each) => each.address !== address || each.localPort !== each.port || address === "127.0.0.1")) {
      rest.push(...ports);
      continue;
    }
    const full = `${service}.${own}`;
    entries.push({
      address,
      names: [...own === namespace ? [service] : [], full, `${full}.svc`, `${full}.svc.${zone}`],
    });
  }
  return { entries, rest };
}
