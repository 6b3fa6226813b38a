import { chooseEndpoints } from "../cluster/choose_endpoints.ts";
import type { Endpoint, Service, ServicePort } from "../cluster/directory.ts";

/** A service and what is known of its endpoints; undefined where nobody has looked. */
export interface SeenService {
  readonly service: Service;
  readonly endpoints: readonly Endpoint[] | undefined;
}

/**
 * A URL that is likely to be answered now: of a service with a ready pod and a port that looks like plain HTTP, in `namespace` where there is one.
 * Undefined where none looks so: what is suggested to people and fails is worse than nothing.
 */
export function exampleUrl(seen: readonly SeenService[], namespace: string): string | undefined {
  const found = seen.flatMap(({ service, endpoints = [] }) => {
    const port = service.ports.find((each) =>
      looksLikeHttp(each) && isServedByPod(chooseEndpoints(service, each.port, endpoints))
    );
    return port ? [{ service, port: port.port }] : [];
  });
  const { service, port } = found.find(({ service }) => service.namespace === namespace) ?? found[0] ?? {};
  if (!service) return undefined;
  const host = service.namespace === namespace ? service.name : `${service.name}.${service.namespace}`;
  return `http://${host}${port === 80 ? "" : `:${port}`}/`;
}

/** Ports that are spoken HTTP to, whatever their name. */
const httpPorts = new Set([80, 3000, 8000, 8080]);

function looksLikeHttp({ name, port, protocol }: ServicePort): boolean {
  if (protocol !== "TCP" || /https|tls|ssl|grpc/i.test(name) || port === 443 || port === 8443) return false;
  return httpPorts.has(port) || /(^|-)(http|web|www)\d*(-|$)/i.test(name);
}

/** Only pods can be reached without a relay. */
function isServedByPod(choice: ReturnType<typeof chooseEndpoints>): boolean {
  return choice.kind === "candidates" && choice.candidates.some(({ endpoint }) => endpoint.pod !== undefined);
}
