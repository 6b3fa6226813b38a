import { Failure } from "../platform/failure.ts";
import { parentShell } from "../platform/parent_shell.ts";
import { type ConnectReport, connectReport, describeReport } from "./connect_report.ts";
import { type Connection, openConnection } from "./connection.ts";
import { connectionOptions } from "./connection_options.ts";
import { connectInBackground } from "./connect_in_background.ts";
import type { CliDeps } from "./deps.ts";
import type { ConnectInvocation } from "./grammar/connect.ts";
import { fileTerminal } from "./file_terminal.ts";
import { runningSessions } from "./running_sessions.ts";
import { isSessionName, type SessionNote, SessionNotes } from "./session_note.ts";
import { TerminalLog } from "./terminal_log.ts";
import { UsageError } from "./usage_error.ts";
import { hawserVersion } from "./version.ts";

/** `hawser connect`. JSON: a {@linkcode ConnectReport} in one line, once it is ready. */
export async function connect(invocation: ConnectInvocation, deps: CliDeps): Promise<number> {
  const { options } = invocation;
  if (options.name !== undefined && !isSessionName(options.name)) {
    throw new UsageError(
      `--name must begin with a letter or digit and hold only letters, digits, ".", "_" and "-", at most 63: "${options.name}" does not`,
      "connect",
    );
  }
  const interrupts = deps.watchInterrupts();
  try {
    if (options.detach && !options.detached) {
      const report = await connectInBackground(deps, interrupts.signal);
      await show(report, options.output, deps);
      return 0;
    }
    return await connectHere(invocation, deps, interrupts.signal);
  } finally {
    interrupts.close();
  }
}

async function connectHere({ options }: ConnectInvocation, outer: CliDeps, signal: AbortSignal): Promise<number> {
  const notes = new SessionNotes(outer.paths().state);
  outer.terminal.progress("Connecting…");
  const others = await runningSessions(outer);
  if (others.some(({ note }) => note.name === options.name)) {
    throw new Failure(
      `A session "${options.name}" runs already: choose another --name, or end it with hawser disconnect ${options.name}`,
    );
  }
  const logPath = options.detached ? await notes.logFile(options.name ?? `detached-${Deno.pid}`) : undefined;
  await using background = logPath === undefined ? undefined : await fileTerminal(logPath);
  const deps = background
    ? { ...outer, log: new TerminalLog(background.terminal, options.logLevel, outer.clock) }
    : outer;
  let listenersChanged = () => {};
  const connection = await open(
    await connectionOptions(options),
    { ...deps, onListeners: () => listenersChanged() },
    signal,
  );
  let note: SessionNote | undefined;
  try {
    const name = options.name ?? freeName(connection.directory.namespace, others.map(({ note }) => note.name));
    note = {
      name,
      id: connection.id,
      pid: Deno.pid,
      started: new Date(deps.clock.wall()).toISOString(),
      version: hawserVersion,
      context: connection.access.context,
      namespace: connection.directory.namespace,
      port: connection.proxy.port,
      dnsPort: connection.dnsPort,
      token: connection.token,
      auth: connection.proxy.auth,
      listeners: connection.listeners(),
      logFile: logPath,
    };
    await keep(note, notes, deps);
    const written = note;
    listenersChanged = () => void keep({ ...written, listeners: connection.listeners() }, notes, deps);
    const report = await connectReport(name, connection, logPath, signal);
    await show(report, options.output, outer);
    if (!options.detached && options.output === "text") outer.terminal.tell("Ctrl-C ends it.");
    const interrupted = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    await Promise.race([connection.stopped, interrupted]);
    return 0;
  } finally {
    listenersChanged = () => {};
    await connection.close();
    if (note) await notes.remove(note);
  }
}

/** Says who holds a port that was asked for and is taken, where that is one of our own. */
async function open(
  options: Parameters<typeof openConnection>[0],
  deps: CliDeps & { readonly onListeners: () => void },
  signal: AbortSignal,
): Promise<Connection> {
  try {
    return await openConnection(options, deps, signal);
  } catch (error) {
    const [port] = options.ports;
    const holder = error instanceof Failure && port !== 0 &&
      (await runningSessions(deps)).find(({ note }) => note.port === port);
    if (!holder || options.ports.length > 1) throw error;
    const { name } = holder.note;
    throw new Failure(
      `Port ${port} is held by session "${name}": choose another --port, or end it with hawser disconnect ${name}`,
    );
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
  const sessions = await runningSessions(deps);
  deps.terminal.print(describeReport(report, deps.terminal, shell, sessions.length > 1));
}

function freeName(wanted: string, taken: readonly string[]): string {
  for (let number = 1;; number++) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    if (!taken.includes(name)) return name;
  }
}
