import type { Directory, Service } from "../cluster/directory.ts";
import type { ParentShell } from "../platform/parent_shell.ts";
import { columns } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { exampleUrl, type SeenService } from "./example_url.ts";
import type { ListenerNote } from "./session_note.ts";
import type { Terminal } from "./terminal.ts";

/** What `connect -o json` prints, in one line, once it is ready. */
export interface ConnectReport {
  readonly session: string;
  readonly context: string;
  /** Name of the kubeconfig user entry; may be empty. */
  readonly user: string;
  /** URL of the API server. */
  readonly server: string;
  readonly namespace: string;
  /** Namespaces under watch, `namespace` first. */
  readonly namespaces: readonly string[];
  readonly zone: string;
  /** Port of the proxy on 127.0.0.1. */
  readonly port: number;
  /** Whether the proxy asks for a password; `hawser env` tells it. */
  readonly auth: boolean;
  /** Name of the Deployment, Secret and ConfigMap of the relay; null where there is none. */
  readonly relay: string | null;
  /** Port of the resolver on 127.0.0.1; null where none runs. */
  readonly dnsPort: number | null;
  readonly services: readonly ServiceReport[];
  readonly listeners: readonly ListenerNote[];
  /** URL of a service that is likely to answer; null where none looks like plain HTTP. */
  readonly example: string | null;
  /** Where a detached session tells what happens; null otherwise. */
  readonly logFile: string | null;
}

/** A service and how it is. */
export interface ServiceReport {
  readonly namespace: string;
  readonly name: string;
  readonly kind: Service["kind"];
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  /** Endpoints that are ready, and all; null where nobody has looked. */
  readonly ready: number | null;
  readonly total: number | null;
}

/** More than this are listed by name and ports only: each look costs a call where watching is not allowed. */
const looked = 200;

/** What a report is made of: a connection, or what is known of one of another process. */
export type Reported =
  & Pick<Connection, "access" | "directory" | "proxy" | "relay" | "dnsPort">
  & { listeners(): readonly ListenerNote[] };

/** Looks at what a connection has found. */
export async function connectReport(
  session: string,
  connection: Reported,
  logFile: string | undefined,
  signal: AbortSignal,
): Promise<ConnectReport> {
  const { access, directory, proxy, relay, dnsPort } = connection;
  const services = directory.services().filter(({ own }) => !own);
  const seen = await Promise.all(services.map((service, at) => see(service, at < looked, directory, signal)));
  return {
    session,
    context: access.context,
    user: access.user,
    server: access.server.href,
    namespace: directory.namespace,
    namespaces: directory.namespaces,
    zone: directory.zone,
    port: proxy.port,
    auth: proxy.auth !== undefined,
    relay: relay ?? null,
    dnsPort: dnsPort ?? null,
    services: seen.map(serviceReport),
    listeners: connection.listeners(),
    example: exampleUrl(seen, directory.namespace) ?? null,
    logFile: logFile ?? null,
  };
}

async function see(
  service: Service,
  look: boolean,
  directory: Directory,
  signal: AbortSignal,
): Promise<SeenService> {
  const endpoints = look && service.kind !== "ExternalName"
    ? await directory.endpoints(service, signal).catch(() => undefined)
    : undefined;
  return { service, endpoints };
}

function serviceReport({ service, endpoints }: SeenService): ServiceReport {
  return {
    namespace: service.namespace,
    name: service.name,
    kind: service.kind,
    ports: service.ports.map(({ name, port, protocol }) => ({ name, port, protocol })),
    ready: endpoints?.filter(({ ready }) => ready).length ?? null,
    total: endpoints?.length ?? null,
  };
}

/** Rows of services shown to people. */
const shown = 30;

/** The report for people, with the lines that wire their own shell. */
export function describeReport(
  report: ConnectReport,
  terminal: Terminal,
  shell: ParentShell,
  several: boolean,
): string {
  const as = report.user === "" ? "" : ` as ${report.user}`;
  const lines = [
    terminal.style("bold", `Connected to ${report.context}${as}, namespace ${report.namespace}`),
    ...services(report, terminal),
    "",
    ...columns([
      [
        "Proxy",
        `127.0.0.1:${report.port}  SOCKS5, SOCKS4a and HTTP${
          report.auth ? ", with the password that hawser env tells" : ""
        }`,
      ],
      ...report.relay === null
        ? []
        : [["Relay", `deployment, secret and configmap ${report.relay}, a lease, until you end it`]],
      ...report.dnsPort === null ? [] : [["DNS", `127.0.0.1:${report.dnsPort}  UDP and TCP`]],
      ...report.logFile === null ? [] : [["Log", report.logFile]],
    ]),
    "",
    ...columns([
      [
        `Wire ${report.logFile === null ? "another" : "this"} shell:`,
        wiringLine(shell, several ? report.session : undefined),
      ],
      ["Or one program:", `hawser run${several ? ` --session ${report.session}` : ""} -- PROGRAM`],
      ...report.example === null ? [] : [["Then, for example:", `curl ${report.example}`]],
    ]),
  ];
  return lines.join("\n");
}

function services(report: ConnectReport, terminal: Terminal): string[] {
  if (report.services.length === 0) return ["No services here; names of other namespaces work as SERVICE.NAMESPACE"];
  const rows = report.services.slice(0, shown).map((service) => [
    service.namespace === report.namespace ? service.name : `${service.name}.${service.namespace}`,
    service.ports.map(({ name, port, protocol }) =>
      `${port}${protocol === "TCP" ? "" : `/${protocol}`}${name === "" ? "" : ` ${name}`}`
    ).join(", ") || "-",
    readiness(service, terminal),
    localPorts(service, report.listeners),
  ]);
  const rest = report.services.length - shown;
  return ["", ...columns(rows, "  "), ...rest > 0 ? [`  and ${rest} more`] : []];
}

function readiness({ kind, ready, total }: ServiceReport, terminal: Terminal): string {
  if (kind === "ExternalName") return "external name";
  if (ready === null) return "";
  if (total === 0) return terminal.style("yellow", "no pods");
  return terminal.style(ready === 0 ? "red" : "green", `${ready}/${total} ready`);
}

function localPorts(service: ServiceReport, listeners: readonly ListenerNote[]): string {
  return listeners.filter((each) => each.service === service.name && each.namespace === service.namespace)
    .toSorted((a, b) => a.port - b.port).map(({ address, localPort }) => `${address}:${localPort}`).join(", ");
}

function wiringLine(shell: ParentShell, session: string | undefined): string {
  const command = `hawser env${session === undefined ? "" : ` --session ${session}`}`;
  switch (shell) {
    case "bash":
    case "zsh":
      return `eval "$(${command})"`;
    case "fish":
      return `${command} | source`;
    case "powershell":
      return `${command} | Out-String | Invoke-Expression`;
    case "cmd":
      return `${command} > "%TEMP%\\hawser.cmd" && call "%TEMP%\\hawser.cmd"`;
  }
}
