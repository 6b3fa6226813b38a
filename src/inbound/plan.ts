import type { V1EndpointSlice, V1Pod, V1Service, V1ServicePort } from "@kubernetes/client-node";
import type { AgentConfig } from "../agent/protocol.ts";
import { toPod } from "../cluster/pod_model.ts";
import { Failure } from "../platform/failure.ts";
import type { External } from "./external.ts";
import { labels, manager } from "./names.ts";
import type { Scalable } from "./scalable.ts";
import type { Variant } from "./variant.ts";

/** What an agent has to be so that it can stand in for a Service. Pure: made of what was read. */
export interface Plan {
  readonly namespace: string;
  /** Or the name of a relay. */
  readonly service: string;
  /** Empty for a relay. */
  readonly ports: readonly PlannedPort[];
  /** Where links arrive, and where the readiness probe asks; no port of the Service. */
  readonly linkPort: number;
  readonly healthPort: number;
  /** What holds the original pods while the Service selects the agent; undefined for a preview and a relay. */
  readonly origin: OriginSpec | undefined;
  /** What kind of agent it is where it is not the ordinary one. */
  readonly variant?: Variant["kind"];
  /** Labels that the agent's pods wear beside hawser's, by which they are found instead of, or among, the original pods. */
  readonly labels?: Readonly<Record<string, string>>;
  /** When the agent's pods count as ready; undefined for at once. */
  readonly ready?: AgentConfig["ready"];
  /** What callers are told where there is neither a laptop nor an origin. */
  readonly nobody?: string;
  /** The workload that is scaled to zero while the agent stands. */
  readonly workload?: Scalable;
  /** How a preview is reached from outside. */
  readonly external?: External;
  /** What the user should know, in sentences. */
  readonly warnings: readonly string[];
}

/** One port of the Service. */
export interface PlannedPort {
  readonly port: number;
  /** Empty where unnamed. */
  readonly name: string;
  /** The port on which the agent receives what comes to it. */
  readonly agentPort: number;
  /** The name under which the agent's container must declare it; undefined where the Service gives a number. */
  readonly containerPortName: string | undefined;
  /** What it carries is said to be TLS, so that no mark can be read in it. */
  readonly tls: boolean;
}

/** The parts of a Service's spec that its origin Service has, too. */
export interface OriginSpec {
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly V1ServicePort[];
  readonly publishNotReadyAddresses: boolean;
  readonly ipFamilies: readonly string[];
  readonly ipFamilyPolicy: string | undefined;
}

/** What is known of a Service. */
export interface PlanInput {
  /** With its original selector. */
  readonly service: V1Service;
  /** Its EndpointSlices, empty where they may not be read. */
  readonly slices: readonly V1EndpointSlice[];
  /** The pods that it selects. */
  readonly pods: readonly V1Pod[];
}

/** First number that is tried for a port of the agent's own. */
const firstOwnPort = 17_470;

/** Plans the agent of a Service. Throws a {@linkcode Failure} that says why a Service cannot be stood in for. */
export function planAgent({ service, slices, pods }: PlanInput): Plan {
  const { namespace = "", name = "" } = service.metadata ?? {};
  const { selector = {}, ports = [], type } = service.spec ?? {};
  const which = `Service "${name}" in namespace "${namespace}"`;
  if (service.metadata?.labels?.[labels.managedBy] === manager) {
    throw new Failure(
      `${which} is hawser's own: name the service it was made for, "${service.metadata.labels[labels.service]}"`,
    );
  }
  if (type === "ExternalName") {
    throw new Failure(
      `${which} stands for the outside name "${service.spec?.externalName}" and has no pods an agent could stand in for`,
    );
  }
  if (Object.keys(selector).length === 0) {
    throw new Failure(
      `${which} has no selector: its endpoints are made by hand, so there is nothing to divert. Exchange the service that its callers use instead`,
    );
  }
  const other = ports.find(({ protocol = "TCP" }) => protocol !== "TCP");
  if (other) {
    throw new Failure(
      `${which} has the ${other.protocol} port ${other.port}, which the agent could not pass on to the original pods: only services with TCP ports alone can be diverted; hawser preview makes one of its own beside it`,
    );
  }
  if (ports.length === 0) throw new Failure(`${which} has no ports`);
  const planned = ports.map((port) => planPort(port, slices, pods));
  return {
    namespace,
    service: name,
    ports: planned,
    ...ownPorts(planned.map(({ agentPort }) => agentPort)),
    origin: {
      selector,
      ports: ports.map(({ name, port, protocol, targetPort, appProtocol }) => ({
        ...name && { name },
        port,
        protocol: protocol ?? "TCP",
        targetPort: targetPort ?? port,
        ...appProtocol && { appProtocol },
      })),
      publishNotReadyAddresses: service.spec?.publishNotReadyAddresses ?? false,
      ipFamilies: service.spec?.ipFamilies ?? [],
      ipFamilyPolicy: service.spec?.ipFamilyPolicy,
    },
    warnings: warningsFor(service, pods),
  };
}

/** Plans the agent of `owner`'s preview: a Service that does not exist yet, with the ports it is to have. */
export function planPreview(namespace: string, service: string, ports: readonly number[], owner: string): Plan {
  const planned = ports.map((port) => ({
    port,
    name: ports.length > 1 ? `port-${port}` : "",
    agentPort: port,
    containerPortName: undefined,
    tls: false,
  }));
  const nobody = `Nobody serves "${namespace}/${service}" now: it is a preview of ${owner}, whose laptop is away`;
  return { namespace, service, ports: planned, ...ownPorts(ports), origin: undefined, nobody, warnings: [] };
}

/** Plans a relay, which takes no traffic; `name` is a `relayName`. */
export function planRelay(namespace: string, name: string): Plan {
  return { namespace, service: name, ports: [], ...ownPorts([]), origin: undefined, warnings: [] };
}

function planPort(port: V1ServicePort, slices: readonly V1EndpointSlice[], pods: readonly V1Pod[]): PlannedPort {
  const target: number | string = (port.targetPort as number | string | undefined) || port.port; // IntOrString on the wire
  const { name = "" } = port;
  const tls = /^(?:https|tls|ssl|wss|kubernetes\.io\/wss)/.test(port.appProtocol ?? name) || port.port === 443;
  const planned = { port: port.port, name, tls };
  if (typeof target === "number") return { ...planned, agentPort: target, containerPortName: undefined };
  return { ...planned, agentPort: numberOf(target, name, slices, pods) ?? port.port, containerPortName: target };
}

/** What a port name means for the pods that serve now; any number would do, but callers of headless services know this one. */
function numberOf(
  target: string,
  portName: string,
  slices: readonly V1EndpointSlice[],
  pods: readonly V1Pod[],
): number | undefined {
  const serving = slices.filter(({ endpoints }) => endpoints?.some(({ conditions }) => conditions?.ready ?? true));
  const ports = serving.flatMap(({ ports }) => ports ?? []).filter(({ name }) => (name ?? "") === portName);
  return ports.find(({ port }) => port)?.port ??
    pods.flatMap((pod) => toPod(pod).ports).find(({ name, protocol }) => name === target && protocol === "TCP")?.port;
}

function ownPorts(taken: readonly number[]): { linkPort: number; healthPort: number } {
  const free: number[] = [];
  for (let port = firstOwnPort; free.length < 2; port++) if (!taken.includes(port)) free.push(port);
  const [linkPort = 0, healthPort = 0] = free;
  return { linkPort, healthPort };
}

function warningsFor({ metadata, spec }: V1Service, pods: readonly V1Pod[]): string[] {
  const warnings: string[] = [];
  const names = pods.flatMap(({ spec }) => spec?.hostname && spec.subdomain === metadata?.name ? [spec.hostname] : []);
  if (names.length > 0) {
    warnings.push(
      `the names of single pods (${
        names[0]
      }.${metadata?.name}) do not resolve while the service is diverted: its pods reach each other by them`,
    );
  }
  if (spec?.internalTrafficPolicy === "Local" || spec?.externalTrafficPolicy === "Local") {
    warnings.push("the service keeps traffic on the node it comes from, and the agent runs on one node only");
  }
  if (spec?.clusterIP === "None") {
    warnings.push("the service is headless: callers find the agent when they look its name up next");
  }
  return warnings;
}
