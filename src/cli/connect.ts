import { Failure } from "../platform/failure.ts";
import { aborted } from "../platform/interrupt.ts";
import { parentShell } from "../platform/parent_shell.ts";
import type { WindowsProxy } from "../platform/windows_proxy.ts";
import { type ConnectReport, connectReport, describeReport } from "./connect_report.ts";
import { type Connection, openConnection } from "./connection.ts";
import { connectionOptions } from "./connection_options.ts";
import { connectInBackground } from "./connect_in_background.ts";
import type { CliDeps } from "./deps.ts";
import type { ConnectInvocation } from "./grammar/connect.ts";
import { logSink } from "./log_sink.ts";
import { outsidePac } from "./outside_pac.ts";
import { type RunningSession, runningSessions } from "./running_sessions.ts";
import { prepareSystemProxy } from "./prepare_system_proxy.ts";
import { runningReport } from "./running_report.ts";
import { tellServiceEvents } from "./service_events.ts";
import { isSessionName, type SessionNote, SessionNotes } from "./session_note.ts";
import { UsageError } from "./usage_error.ts";
import { hawserVersion } from "./version.ts";

const ledByUs = "Your browsers reach the cluster too, by Windows's proxy settings; these are put back at the end.";

/** `hawser connect`. JSON: a {@linkcode ConnectReport} in one line, once it is ready. */
export async function connect(invocation: ConnectInvocation, deps: CliDeps): Promise<number> {
  const { options } = invocation;
  if (options.name !== undefined && !isSessionName(options.name)) {
    throw new UsageError(
      `--name must begin with a letter or digit and hold only letters, digits, ".", "_" and "-", at most 63: "${options.name}" does not`,
      "connect",
    );
  }
  const systemProxy = options.systemProxy ? await prepareSystemProxy(options, deps) : undefined;
  const interrupts = deps.watchInterrupts();
  try {
    if (options.detach && !options.detached) {
      const running = systemProxy ? undefined : await runningReport(options, deps, interrupts.signal);
      const report = running ?? await connectInBackground(deps, interrupts.signal);
      await show(report, options.output, deps);
      if (running) {
        deps.terminal.tell(
          `Session "${running.session}" was running already, and goes on with what it was started with.`,
        );
      }
      if (systemProxy) deps.terminal.tell(ledByUs);
      return 0;
    }
    return await connectHere(invocation, systemProxy, deps, interrupts.signal);
  } finally {
    interrupts.close();
  }
}

async function connectHere(
  { options }: ConnectInvocation,
  systemProxy: WindowsProxy | undefined,
  deps: CliDeps,
  signal: AbortSignal,
): Promise<number> {
  const { terminal } = deps;
  const notes = new SessionNotes(deps.paths().state);
  terminal.progress("Connecting…");
  const taken = (await othersOf(deps)).map(({ note }) => note.name);
  if (options.name !== undefined && taken.includes(options.name)) {
    throw new Failure(
      `A session "${options.name}" runs already: choose another --name, or end it with hawser disconnect ${options.name}`,
    );
  }
  let listenersChanged = () => {};
  const connection = await open(
    await connectionOptions(options),
    { ...deps, onListeners: () => listenersChanged() },
    signal,
  );
  const endEvents = tellServiceEvents(connection.directory, deps);
  let note: SessionNote | undefined;
  try {
    const name = options.name ?? freeName(connection.directory.namespace, taken);
    const logFile = options.detached ? await notes.logFile(name) : undefined;
    const begun = note = noteOf(connection, name, logFile, deps);
    if (options.detached) await notes.write(begun); // nobody could end what nobody can find
    else await keep(begun, notes, deps);
    listenersChanged = () => void keep({ ...begun, listeners: connection.listeners() }, notes, deps);
    await systemProxy?.take({ id: begun.id, pid: begun.pid, url: `http://127.0.0.1:${begun.port}/proxy.pac` });
    await show(await connectReport(name, connection, logFile, signal), options.output, deps);
    if (systemProxy) terminal.tell(ledByUs);
    if (logFile !== undefined) await terminal.redirect(await logSink(logFile));
    else if (options.output === "text") terminal.tell("Ctrl-C ends it.");
    await Promise.race([connection.stopped, aborted(signal)]);
    return 0;
  } finally {
    endEvents();
    listenersChanged = () => {};
    await systemProxy?.giveBack(connection.id).catch((error) => deps.log.error(error.message));
    await connection.close();
    if (note?.logFile !== undefined) await notes.removeEmptyLog(note.logFile);
    if (note) await notes.remove(note); // last: disconnect waits for it
  }
}

function noteOf(connection: Connection, name: string, logFile: string | undefined, deps: CliDeps): SessionNote {
  return {
    name,
    id: connection.id,
    pid: Deno.pid,
    started: new Date(deps.clock.wall()).toISOString(),
    version: hawserVersion,
    context: connection.access.context,
    server: connection.access.server.href,
    namespace: connection.directory.namespace,
    port: connection.proxy.port,
    dnsPort: connection.dnsPort,
    token: connection.token,
    auth: connection.proxy.auth,
    listeners: connection.listeners(),
    logFile,
  };
}

/** Says who holds a port that was asked for and is taken, where that is one of our own. */
async function open(
  options: Parameters<typeof openConnection>[0],
  deps: CliDeps & { readonly onListeners: () => void },
  signal: AbortSignal,
): Promise<Connection> {
  try {
    return await openConnection(options, { ...deps, outsidePac: outsidePac(deps) }, signal);
  } catch (error) {
    const [port] = options.ports;
    const holder = error instanceof Failure && port !== 0 &&
      (await othersOf(deps)).find(({ note }) => note.port === port);
    if (!holder || options.ports.length > 1) throw error;
    const { name } = holder.note;
    throw new Failure(
      `Port ${port} is held by session "${name}": choose another --port, or end it with hawser disconnect ${name}`,
    );
  }
}

/** Sessions that can be found; what stands in the way of finding any does not concern a new one. */
async function othersOf(deps: CliDeps): Promise<RunningSession[]> {
  try {
    return await runningSessions(deps);
  } catch (error) {
    deps.log.info(error instanceof Error ? error.message : String(error));
    return [];
  }
}

/** A session works without its note; only other commands cannot find it. */
async function keep(note: SessionNote, notes: SessionNotes, { log }: CliDeps): Promise<void> {
  try {
    await notes.write(note);
  } catch (error) {
    log.event(
      `${error instanceof Error ? error.message : error}. hawser env, status and disconnect will not find this session`,
    );
  }
}

async function show(report: ConnectReport, output: "text" | "json", deps: CliDeps): Promise<void> {
  if (output === "json") return deps.terminal.print(JSON.stringify(report));
  const shell = await parentShell(deps.os, deps.env);
  const several = (await othersOf(deps)).length > 1; // our own note is among them
  deps.terminal.print(describeReport(report, deps.terminal, shell, several));
}

function freeName(wanted: string, taken: readonly string[]): string {
  for (let number = 1;; number++) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    if (!taken.includes(name)) return name;
  }
}
