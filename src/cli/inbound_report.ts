import type { ExposedPort } from "../inbound/choose_ports.ts";
import type { External } from "../inbound/external.ts";
import type { InboundRequest } from "../inbound/inbound.ts";
import { describeMark } from "../inbound/mark.ts";
import { objectNames } from "../inbound/names.ts";
import type { Reach } from "../inbound/reach_preview.ts";
import { describeScalable } from "../inbound/scalable.ts";
import type { Variant, VersionLabel } from "../inbound/variant.ts";
import { columns } from "./columns.ts";
import type { RaisedInbound } from "./raise_inbound.ts";
import { routingExample } from "./routing_example.ts";

/** What `exchange`, `mesh` and `preview` say once they stand; part of their stable JSON output. */
export interface InboundReport {
  readonly kind: InboundRequest["kind"];
  readonly namespace: string;
  readonly service: string;
  /** Who we are to others: `alice@laptop`. */
  readonly owner: string;
  readonly match: InboundRequest["match"];
  /** What requests must have, in words; empty for all of them. */
  readonly mark: string;
  readonly ports: readonly {
    readonly port: number;
    readonly name: string;
    readonly local: string;
    readonly localPort: number;
  }[];
  /** Ports of the Service that stay with the original pods. */
  readonly originPorts: readonly { readonly port: number; readonly name: string }[];
  /** Others who take part. */
  readonly others: readonly string[];
  /** Names of what is in the cluster until the end: a Deployment, a Secret and a ConfigMap; a Service. */
  readonly agent: string;
  readonly origin: string | undefined;
  /** What `--cut` restarts: `deployment/orders`. */
  readonly restarted: readonly string[];
  readonly warnings: readonly string[];
  /** How it is brought in where not in the ordinary way, and what that concerns: the workload that is scaled to zero, as `deployment/orders`; … */
  readonly variant?: Variant["kind"];
  readonly workload?: string;
  /** … the Service among whose pods the agent is, and what tells it from them; … */
  readonly among?: string;
  readonly label?: VersionLabel;
  /** … how the preview is reached from outside, and by what. */
  readonly reach?: Reach;
  readonly external?: External["type"];
}

/** `silent` are the ports for which no program listens here yet. */
export function inboundReport(
  { request, inbound: standing, restarted, reach }: RaisedInbound,
  silent: readonly ExposedPort[],
): InboundReport {
  const { kind, namespace, service, owner, match, variant, among } = request;
  const { workload } = standing.plan;
  const names = objectNames(service);
  return {
    kind,
    namespace,
    service,
    owner: owner.name,
    match,
    mark: describeMark(match),
    ports: standing.ports.map(({ port, program }) => ({
      port: port.port,
      name: port.name,
      local: program.hosts[0] ?? "127.0.0.1",
      localPort: program.port,
    })),
    originPorts: standing.plan.origin ? unexposed(standing) : [],
    others: [...new Set(standing.others)].filter((other) => other !== owner.name),
    agent: names.agent,
    origin: standing.plan.origin && names.origin,
    restarted,
    warnings: [
      ...silent.map(({ program }) => `nothing listens on ${program.hosts[0]}:${program.port} yet: start your program`),
      ...standing.plan.warnings,
      ...reach?.notes ?? [],
    ],
    ...variant && { variant: variant.kind },
    ...workload && { workload: describeScalable(workload) },
    ...variant?.kind === "manual" && { among, label: variant.label },
    ...reach && { reach },
    ...variant?.kind === "external" && { external: variant.external.type },
  };
}

/** Ports that lead elsewhere than the exposed ones. */
function unexposed({ plan, ports }: RaisedInbound["inbound"]): InboundReport["originPorts"] {
  return plan.ports.filter(({ agentPort }) => !ports.some(({ port }) => port.agentPort === agentPort))
    .map(({ port, name }) => ({ port, name }));
}

/** The report for people. */
export function describeInbound(report: InboundReport): string {
  const { namespace, service, ports, others, agent, origin, restarted, warnings, workload, reach } = report;
  const rows = ports.map(({ port, name, local, localPort }) => [
    portText(port, name),
    `-> ${local.includes(":") ? `[${local}]` : local}:${localPort}`,
  ]);
  rows.push(...report.originPorts.map(({ port, name }) => [portText(port, name), "-> the original pods, as before"]));
  const objects = [
    `deployment, secret and configmap ${agent}`,
    ...origin ? [`service ${origin}`] : [],
    ...report.external === "Ingress" ? [`ingress ${agent}`] : [],
    "a lease",
  ];
  return [
    `${headline(report)} in namespace ${namespace}`,
    "",
    ...columns(rows, "  "),
    "",
    ...usage(report),
    ...(reach?.addresses ?? []).map((address) => `From outside:  ${address}`),
    ...others.length > 0 ? [`Shared with ${others.join(", ")}.`] : [],
    ...warnings.map((warning) => `Note: ${warning}.`),
    `In the cluster until you end it: ${objects.join(", ")}${origin ? `; "${service}" selects the agent` : ""}${
      workload ? `; ${workload} has no pods, and a note of how many it had` : ""
    }.`,
    ...workload
      ? [
        `While this machine is away, callers get 503: nothing falls back by itself. Whoever finds it so: hawser recover ${service} -n ${namespace}`,
      ]
      : [],
    ...restarted.length > 0
      ? [`Connections opened before end as the pods of ${restarted.join(", ")} restart, one after another.`]
      : [],
  ].join("\n");
}

function portText(port: number, name: string): string {
  return name === "" ? `${port}` : `${port} ${name}`;
}

function headline({ kind, service, mark, among, label, workload, ports, originPorts }: InboundReport): string {
  if (label) return `A pod of service "${among}" with the label ${label.key}=${label.value} is answered here,`;
  if (workload) return `All requests for the pods of ${workload} come here,`;
  if (kind === "preview") return `New service "${service}" is answered here,`;
  const some = originPorts.length > 0
    ? ` for ${ports.length > 1 ? "ports" : "port"} ${ports.map(({ port }) => port).join(" and ")}`
    : "";
  return kind === "exchange"
    ? `All requests${some} of service "${service}" come here,`
    : `Requests${some} of service "${service}" whose ${mark} come here,`;
}

/** How to send a request that comes here, by lines that can be typed in another terminal. */
function usage({ kind, namespace, service, match, ports, among, label }: InboundReport): string[] {
  const [port] = ports;
  if (!port) return [];
  if (label && among !== undefined) {
    const example = routingExample(namespace, among, label).replaceAll(/^/gm, "  ");
    return [
      "All that reaches this pod comes here: without a router that chooses, a share of all requests. With Istio, for example:",
      "",
      example,
      "",
    ];
  }
  const address = `http://${service}${port.port === 80 ? "" : `:${port.port}`}`;
  const tryIt = (request: string) => [
    `Try it:  hawser run -n ${namespace} -- curl ${request}`,
    "In another terminal here, that is; in a pod of the namespace it is just curl.",
  ];
  if (kind !== "mesh") return tryIt(`${address}/`);
  const headers: string[] = [];
  let path = "/", query = "";
  for (const { kind, name, how, value } of match) {
    if (how === "regex") return []; // what matches it, its author knows
    if (kind === "header") headers.push("-H", `${name}: ${value}`);
    else if (kind === "cookie") headers.push("-b", `${name}=${value}`);
    else if (kind === "query") {
      query += `${query === "" ? "?" : "&"}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
    } else path = value;
  }
  const browser = match.some(({ kind }) => kind === "header")
    ? ["In a browser, an extension that sets request headers (ModHeader, Header Editor) marks what it sends."]
    : [];
  const words = [...headers, `${address}${path}${query}`].map(quoted);
  return [...tryIt(words.join(" ")), ...browser];
}

/** A word for a POSIX shell. */
function quoted(word: string): string {
  return /^[\w./:=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
