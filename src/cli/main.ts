import { AccessError } from "../cluster/access.ts";
import { ApiError } from "../cluster/api.ts";
import { systemClock } from "../platform/clock.ts";
import { environment } from "../platform/environment.ts";
import { Failure } from "../platform/failure.ts";
import { Interrupted, watchInterrupts } from "../platform/interrupt.ts";
import { type Paths, userPaths } from "../platform/paths.ts";
import { ProgramError } from "../platform/program.ts";
import type { Environment } from "../platform/proxy_settings.ts";
import { DialError } from "../tunnel/dialer.ts";
import { unwired } from "../wiring/variables.ts";
import type { Command, GivenValues } from "./command.ts";
import { commandTable } from "./command_table.ts";
import { readOptions } from "./define_command.ts";
import type { CliDeps } from "./deps.ts";
import { globalFlags } from "./global_flags.ts";
import { commandHelp, overview } from "./help.ts";
import { parse } from "./parse.ts";
import { settableFlags, Settings, withSettings } from "./settings.ts";
import { systemTerminal, type Terminal } from "./terminal.ts";
import { TerminalLog } from "./terminal_log.ts";
import { UsageError } from "./usage_error.ts";

/** What {@linkcode main} uses of the world. */
export interface MainDeps {
  readonly terminal: Terminal;
  readonly os: typeof Deno.build.os;
  readonly env: Environment;
  readonly table: readonly Command[];
  readonly watchInterrupts: CliDeps["watchInterrupts"];
}

function systemDeps(): MainDeps {
  return {
    terminal: systemTerminal(),
    os: Deno.build.os,
    env: environment(unwired(Deno.env.toObject(), Deno.build.os), Deno.build.os),
    table: commandTable,
    watchInterrupts,
  };
}

/**
 * Runs a command line and resolves with its exit status: 0 done, 1 failed, 2 misused, 130 interrupted, or that of the program
 * which `hawser run` ran. Never rejects; failures are told on stderr in a sentence, with a stack trace only where `HAWSER_DEBUG` is set.
 */
export async function main(args: readonly string[], deps: MainDeps = systemDeps()): Promise<number> {
  try {
    return await dispatch(args, deps);
  } catch (error) {
    return report(error, deps);
  } finally {
    await deps.terminal.flush();
  }
}

async function dispatch(args: readonly string[], deps: MainDeps): Promise<number> {
  const { terminal, table } = deps;
  // `hawser --version`, as most programs have it.
  const { command, given, words } = parse(args[0] === "--version" ? ["version", ...args.slice(1)] : args, table);
  if (command === undefined || given.get("help")?.texts.at(-1) === "true") {
    terminal.print(command ? commandHelp(command, terminal.width) : overview(table, terminal.width));
    return 0;
  }
  try {
    return await start(command, given, words, args, deps);
  } catch (error) {
    throw error instanceof UsageError && error.command === "" ? new UsageError(error.message, command.name) : error;
  }
}

async function start(
  command: Command,
  given: GivenValues,
  words: readonly string[],
  args: readonly string[],
  deps: MainDeps,
): Promise<number> {
  const { terminal, table, env, os } = deps;
  const paths = () => userPaths(os, env);
  const { settings, complete } = await withOwnSettings(command, given, paths, deps);
  const { logLevel } = readOptions({ "log-level": globalFlags["log-level"] }, complete);
  const log = new TerminalLog(terminal, logLevel, systemClock);
  if (os === "windows") await (await import("./sweep_system_proxy.ts")).sweepSystemProxy({ paths, terminal });
  // A mistake of ours in the handling of one connection must not end all the others.
  const stray = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    log.error(`something unexpected went wrong: ${env.HAWSER_DEBUG ? trace(event.reason) : event.reason}`);
  };
  addEventListener("unhandledrejection", stray);
  try {
    return await command.run(complete, words, {
      args,
      terminal,
      log,
      clock: systemClock,
      os,
      env,
      paths,
      settings,
      table,
      watchInterrupts: deps.watchInterrupts,
    });
  } finally {
    removeEventListener("unhandledrejection", stray);
  }
}

async function loadSettings(paths: () => Paths): Promise<Settings> {
  let folder: string;
  try {
    folder = paths().config;
  } catch {
    return Settings.none(); // nobody's home: no settings either, and no reason to refuse `hawser version`
  }
  return await Settings.load(folder);
}

/** The user's settings, and what was given completed by them. */
async function withOwnSettings(
  command: Command,
  given: GivenValues,
  paths: () => Paths,
  { env, table }: MainDeps,
): Promise<{ settings: Settings; complete: GivenValues }> {
  const none = { settings: Settings.none(), complete: given };
  if (command.name === "config") return none; // it must be able to mend what the others refuse
  try {
    const settings = await loadSettings(paths);
    const flags = { ...command.flags, ...globalFlags };
    return { settings, complete: withSettings(given, flags, settableFlags(table).keys(), env, settings) };
  } catch (error) {
    if (command.needsNoSettings) return none;
    throw error;
  }
}

function report(error: unknown, { terminal, env }: MainDeps): number {
  if (error instanceof Interrupted) return 130;
  const message = error instanceof Error ? error.message : String(error);
  const forPeople = [Failure, AccessError, ApiError, DialError].some((kind) => error instanceof kind);
  terminal.tell(forPeople ? `hawser: ${message}` : `hawser: something unexpected went wrong: ${message}`);
  if (error instanceof UsageError) {
    terminal.tell(`Try: hawser ${error.command === "" ? "" : `${error.command} `}--help`);
  }
  if (env.HAWSER_DEBUG) terminal.tell(trace(error));
  else if (!forPeople) terminal.tell("HAWSER_DEBUG=1 shows where; please report it.");
  if (error instanceof ProgramError) return error.status;
  return error instanceof UsageError ? 2 : 1;
}

function trace(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\nCaused by: ${trace(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
