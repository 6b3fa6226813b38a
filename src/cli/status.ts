import { clusterStatus } from "./cluster_status.ts";
import { byteSize } from "./byte_size.ts";
import { columns } from "./columns.ts";
import type { CliDeps } from "./deps.ts";
import { duration } from "./duration.ts";
import type { StatusInvocation } from "./grammar/status.ts";
import { chooseSession, type RunningSession, runningSessions } from "./running_sessions.ts";
import { sessionRelay } from "./session_relay.ts";

/**
 * `hawser status`. JSON: `{ sessions: Session[] }`, where a session is
 * `{ name, pid, started, version, context, server, namespace, port, dnsPort?, listeners: { namespace, service, port, address, localPort }[], logFile?, status }`
 * and `status` is its `/status` page. Secrets are left out. With `--cluster`, see `clusterStatus`.
 */
export async function status(invocation: StatusInvocation, deps: CliDeps): Promise<number> {
  const { options } = invocation;
  if (options.cluster || options.allNamespaces) return await clusterStatus(invocation, deps);
  const sessions = options.session === undefined
    ? await runningSessions(deps)
    : [await chooseSession(options.session, deps)];
  if (options.output === "json") deps.terminal.printJson({ sessions: sessions.map(publicPart) });
  else if (sessions.length === 0) {
    deps.terminal.print("No session runs. Start one with: hawser connect");
    deps.terminal.tell("Exchanges, meshes and previews are shown by: hawser status --cluster");
  } else deps.terminal.print(sessions.map((session) => describe(session, deps).join("\n")).join("\n\n"));
  return 0;
}

function publicPart({ note, status }: RunningSession): Record<string, unknown> {
  const { token: _token, auth: _auth, id: _id, ...rest } = note;
  return { ...rest, status };
}

function describe({ note, status }: RunningSession, { terminal, clock }: CliDeps): string[] {
  const relay = sessionRelay({ status });
  const rows = [
    ["context", `${note.context}, namespace ${note.namespace}`],
    ["cluster", typeof status.health === "string" ? status.health : "unknown"],
    ["proxy", `127.0.0.1:${note.port}${note.auth ? " (with password: see hawser env)" : ""}`],
    ["dns", note.dnsPort === undefined ? "off" : `127.0.0.1:${note.dnsPort}`],
    ...relay === undefined ? [] : [["relay", `deployment, secret and configmap ${relay}`]],
    ["process", `${note.pid}, for ${duration(clock.wall() - Date.parse(note.started))}`],
  ];
  if (isCounts(status.connections)) {
    const { open = 0, total = 0, sent = 0, received = 0 } = status.connections;
    rows.push([
      "connections",
      `${open} open, ${total} since the start; ${byteSize(sent)} sent, ${byteSize(received)} received`,
    ]);
  }
  const lines = [terminal.style("bold", note.name), ...columns(rows, "  ")];
  if (note.listeners.length > 0) {
    const listeners = note.listeners.map((
      each,
    ) => [`${each.address}:${each.localPort}`, `${each.service}.${each.namespace}:${each.port}`]);
    lines.push("  local ports", ...columns(listeners, "    "));
  }
  return lines;
}

function isCounts(value: unknown): value is Readonly<Record<string, number>> {
  return typeof value === "object" && value !== null && Object.values(value).every((each) => typeof each === "number");
}
