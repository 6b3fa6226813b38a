import type { Service, ServicePort } from "./directory.ts";

/** Where one port of a service is to be found by a program. */
export interface ServiceAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * The variables that the kubelet makes for a container from the Services of its namespace (`ORDERS_SERVICE_HOST`, `ORDERS_PORT_80_TCP`…), with
 * other addresses in them: those that `addressOf` knows. The names hold the services' own ports. Ports without an address are left out, and so
 * are, as the kubelet has it, services without a ClusterIP; and `kubernetes`, whose variables make libraries look for a pod's credentials.
 */
export function serviceVariables(
  services: readonly Service[],
  addressOf: (service: Service, port: ServicePort) => ServiceAddress | undefined,
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const service of services) {
    if (service.kind !== "ClusterIP" || service.own || service.name === "kubernetes") continue;
    const found = service.ports.flatMap((port) => {
      const address = addressOf(service, port);
      return address ? [{ ...port, address }] : [];
    });
    const [first] = found;
    if (!first) continue;
    const prefix = variableName(service.name);
    variables[`${prefix}_SERVICE_HOST`] = first.address.host;
    variables[`${prefix}_SERVICE_PORT`] = String(first.address.port);
    variables[`${prefix}_PORT`] = url(first.protocol, first.address);
    for (const { name, port, protocol, address } of found) {
      // There is one HOST for all ports: a port that is elsewhere has no name of this kind.
      if (name !== "" && address.host === first.address.host) {
        variables[`${prefix}_SERVICE_PORT_${variableName(name)}`] = String(address.port);
      }
      const each = `${prefix}_PORT_${port}_${protocol}`;
      variables[each] = url(protocol, address);
      variables[`${each}_PROTO`] = protocol.toLowerCase();
      variables[`${each}_PORT`] = String(address.port);
      variables[`${each}_ADDR`] = address.host;
    }
  }
  return variables;
}

function url(protocol: string, { host, port }: ServiceAddress): string {
  return `${protocol.toLowerCase()}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll(/[-.]/g, "_");
}
