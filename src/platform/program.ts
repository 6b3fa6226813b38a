import { constants } from "node:os";
import type { Environment } from "./proxy_settings.ts";
import { isAbsolute, join } from "node:path";
import { Failure } from "./failure.ts";
import type { InterruptWatch } from "./interrupt.ts";

/** A program that could not be started; `status` is what a shell would exit with: 127 not found, 126 not executable. */
export class ProgramError extends Failure {
  override readonly name = "ProgramError";
  readonly status: 126 | 127;
  constructor(status: 126 | 127, message: string) {
    super(message);
    this.status = status;
  }
}

/** How to start a program. */
export interface ProgramOptions {
  /** The whole environment it gets; nothing is inherited beside it. */
  readonly env: Readonly<Record<string, string>>;
  readonly os: typeof Deno.build.os;
  /** Ends the program (SIGTERM) when it aborts. */
  readonly signal?: AbortSignal;
  /** Whose signals they are before and after: without a moment between in which one would end us. Where it has aborted, the program is not started. */
  readonly interrupts?: InterruptWatch;
  /** Whether we run on a terminal, which sends Ctrl-C to the program as well. */
  readonly onTerminal?: boolean;
}

/** Milliseconds that a program has of the about 5 s in which Windows lets a closed console go; the others are for putting things back. */
const lastWords = 1_000;
/** Milliseconds in which a signal that the program has ended by arrives here, too. */
const delay = 20;

/**
 * Runs a program on our own stdin, stdout and stderr and resolves with its exit status; 128 + n where signal n ended it. While it
 * runs, signals are its business: a polite kill and a closed terminal are passed on; Ctrl-C is not where there is a terminal, because
 * that has already sent it to the program, which may well go on (a debugger, a REPL). Throws a {@linkcode ProgramError}, or an `Interrupted` of
 * `interrupts`: also where Windows ends the console, and the program with it after a moment.
 */
export async function runProgram(name: string, args: readonly string[], options: ProgramOptions): Promise<number> {
  const path = await findProgram(name, options);
  let child: Deno.ChildProcess | undefined;
  const passOn = (signal: Deno.Signal) => {
    try {
      child?.kill(signal);
    } catch {
      // it has just ended by itself
    }
  };
  const ignore = () => {};
  const onTerminal = options.onTerminal ??
    [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
  const interrupted = onTerminal || options.os === "windows" ? ignore : () => passOn("SIGINT"); // an IDE's stop button
  const handlers: [Deno.Signal, () => void][] = [["SIGINT", interrupted]];
  if (options.os === "windows") handlers.push(["SIGBREAK", ignore]);
  else handlers.push(["SIGTERM", () => passOn("SIGTERM")], ["SIGHUP", () => passOn("SIGHUP")]);
  for (const [signal, handler] of handlers) Deno.addSignalListener(signal, handler);
  const end = () => passOn("SIGTERM");
  options.signal?.addEventListener("abort", end, { once: true });
  let late: ReturnType<typeof setTimeout> | undefined;
  const hasten = () => void (late = setTimeout(end, lastWords));
  options.interrupts?.ending.addEventListener("abort", hasten, { once: true });
  try {
    options.interrupts?.signal.throwIfAborted();
    options.interrupts?.pause();
    child = start(name, path, args, options); // once we listen: it may signal us as its first deed
    if (options.signal?.aborted) end();
    const { code, signal } = await child.status;
    if (options.interrupts) await new Promise((resolve) => setTimeout(resolve, delay));
    options.interrupts?.ending.throwIfAborted();
    return signal === null ? code : 128 + (constants.signals[signal as keyof typeof constants.signals] ?? 0);
  } finally {
    options.interrupts?.resume();
    options.interrupts?.ending.removeEventListener("abort", hasten);
    clearTimeout(late);
    options.signal?.removeEventListener("abort", end);
    for (const [signal, handler] of handlers) Deno.removeSignalListener(signal, handler);
  }
}

function start(name: string, path: string, args: readonly string[], options: ProgramOptions): Deno.ChildProcess {
  try {
    return new Deno.Command(path, {
      args: [...args],
      env: { ...options.env },
      clearEnv: true,
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ProgramError(126, `Cannot start "${name}": ${reason}`);
  }
}

/**
 * The file that a shell would run for `name`: the name itself where it holds a folder, else the first executable of that name on
 * PATH, on Windows with the endings of PATHEXT (`mvn` is `mvn.cmd`). Throws a {@linkcode ProgramError}.
 */
export async function findProgram(
  name: string,
  options: { readonly env: Environment; readonly os: typeof Deno.build.os },
): Promise<string> {
  const windows = options.os === "windows";
  const hasFolder = name.includes("/") || windows && name.includes("\\") || isAbsolute(name);
  const folders = hasFolder ? [""] : (read(options.env, "PATH", windows) ?? "").split(windows ? ";" : ":");
  const endings = windows ? windowsEndings(name, read(options.env, "PATHEXT", windows)) : [""];
  let refused: string | undefined;
  for (const folder of folders) {
    for (const ending of endings) {
      const path = (folder === "" ? name : join(folder, name)) + ending;
      const state = await executable(path, windows);
      if (state === "yes") return folder === "" && !hasFolder ? join(".", path) : path;
      if (state === "no" && !refused) refused = path;
    }
  }
  if (refused !== undefined) {
    throw new ProgramError(126, `Cannot start "${name}": "${refused}" is not an executable file`);
  }
  throw new ProgramError(
    127,
    hasFolder
      ? `Cannot start "${name}": there is no such file`
      : `Cannot start "${name}": no folder of PATH has a program of that name`,
  );
}

function windowsEndings(name: string, pathext: string | undefined): string[] {
  const endings = (pathext || ".COM;.EXE;.BAT;.CMD").split(";").filter((ending) => ending !== "");
  const lower = name.toLowerCase();
  return endings.some((ending) => lower.endsWith(ending.toLowerCase())) ? [""] : endings;
}

async function executable(path: string, windows: boolean): Promise<"yes" | "no" | "missing"> {
  try {
    const info = await Deno.stat(path);
    return info.isFile && (windows || ((info.mode ?? 0) & 0o111) !== 0) ? "yes" : "no";
  } catch {
    return "missing";
  }
}

/** Windows knows `Path` by any spelling. */
function read(env: Environment, name: string, windows: boolean): string | undefined {
  if (!windows) return env[name];
  return Object.entries(env).find(([key]) => key.toUpperCase() === name)?.[1];
}
