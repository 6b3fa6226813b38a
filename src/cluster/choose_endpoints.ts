import type { Endpoint, Service, ServicePort } from "./directory.ts";

/** Which endpoints may take a connection, or why none may; the kinds other than `candidates` are those of a dial that fails. */
export type Choice =
  /** At least one, in the order of the given endpoints. `port` is the one to dial at that endpoint. */
  | { readonly kind: "candidates"; readonly candidates: readonly Candidate[] }
  /** The port is right, but nothing answers it now; `explainNoReadyPod` makes a sentence of it. */
  | { readonly kind: "not-ready" }
  /** The service has no such port. */
  | { readonly kind: "refused"; readonly message: string }
  /** It cannot be reached through pods: UDP, SCTP, an ExternalName. */
  | { readonly kind: "unsupported"; readonly message: string };

/** An endpoint and the port to dial there. */
export interface Candidate {
  readonly endpoint: Endpoint;
  readonly port: number;
}

/**
 * The endpoints that a TCP connection to `port` of `service` may go to, as kube-proxy would choose them: those that are ready, or, where
 * there are none, those that still serve while they terminate. A ClusterIP service translates the port; a headless one does not, so
 * there any port goes, declared or not. An endpoint without the service's port (its pod has no container port of that name) is none.
 */
export function chooseEndpoints(service: Service, port: number, endpoints: readonly Endpoint[]): Choice {
  if (service.kind === "ExternalName") {
    return {
      kind: "unsupported",
      message: `${
        quoted(service)
      } stands for the outside name "${service.externalName}" and has no pods, so that a port-forward cannot reach it: add --relay`,
    };
  }
  if (service.kind === "Headless") return pick(endpoints.map((endpoint) => ({ endpoint, port })));
  const declared = service.ports.find((candidate) => candidate.port === port && candidate.protocol === "TCP");
  if (declared) return pick(endpoints.flatMap((endpoint) => translate(declared, endpoint)));
  const other = service.ports.find((candidate) => candidate.port === port);
  return other
    ? {
      kind: "unsupported",
      message: `Port ${port} of ${
        quoted(service)
      } is ${other.protocol} only, which a port-forward cannot carry: add --relay`,
    }
    : { kind: "refused", message: `${quoted(service)} has no port ${port}; ${describePorts(service.ports)}` };
}

function translate({ name, port, targetPort }: ServicePort, endpoint: Endpoint): Candidate[] {
  const found = endpoint.ports.find((candidate) => candidate.name === name && candidate.protocol === "TCP");
  if (!found) return [];
  const any = typeof targetPort === "number" ? targetPort : port;
  return [{ endpoint, port: found.port || any }];
}

function pick(candidates: readonly Candidate[]): Choice {
  const ready = candidates.filter(({ endpoint }) => endpoint.ready);
  const left = ready.length > 0 ? ready : candidates.filter(({ endpoint }) => endpoint.serving && endpoint.terminating);
  return left.length > 0 ? { kind: "candidates", candidates: left } : { kind: "not-ready" };
}

function describePorts(ports: readonly ServicePort[]): string {
  if (ports.length === 0) return "it declares none";
  const each = ports.map(({ name, port, protocol }) =>
    `${port}${protocol === "TCP" ? "" : `/${protocol}`}${name === "" ? "" : ` (${name})`}`
  );
  return `it has ${each.join(", ")}`;
}

function quoted({ name, namespace }: Service): string {
  return `Service "${name}" in namespace "${namespace}"`;
}
