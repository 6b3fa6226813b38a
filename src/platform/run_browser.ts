import type { Clock } from "./clock.ts";
import { endProcess } from "./process.ts";
import { ProgramError } from "./program.ts";

/** How to run a browser. */
export interface RunBrowserOptions {
  /** The whole environment it gets. */
  readonly env: Readonly<Record<string, string>>;
  readonly os: typeof Deno.build.os;
  /** Closes it when it aborts. */
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, "after">;
  /** Told which process it is. Where it rejects the browser is closed again. */
  readonly onStart: (pid: number) => Promise<void>;
}

/** How a browser has ended. */
export interface BrowserEnd {
  /** 0 also where we have closed it. */
  readonly status: number;
  /** The last of what it wrote on stderr: much of that is noise, unless it could not start. */
  readonly complaint: string;
}

/** Milliseconds that a browser has to close. */
const patience = 5_000;
/** Milliseconds in which the last it has written arrives here, too. */
const lateWords = 100;
/** Characters. */
const kept = 2_000;

/**
 * Runs a browser to its end. It is in a process group of its own, so that Ctrl-C reaches us alone and the browser with all its helpers is closed by us: at once on
 * Windows; elsewhere it is asked, and killed where it does not listen. Its stdout is ours. Throws a {@linkcode ProgramError} where it cannot be started.
 */
export async function runBrowser(
  path: string,
  args: readonly string[],
  { env, os, signal, clock, onStart }: RunBrowserOptions,
): Promise<BrowserEnd> {
  signal.throwIfAborted();
  const child = start(path, args, env);
  const ours = new AbortController();
  const complaint = lastOf(child.stderr, ours.signal);
  let giveUp = () => {};
  const close = () => {
    if (os === "windows") return void endProcess(child.pid, os);
    killGroup(child.pid, "SIGTERM");
    giveUp = clock.after(patience, () => killGroup(child.pid, "SIGKILL"));
  };
  signal.addEventListener("abort", close, { once: true });
  try {
    const [noted] = await Promise.allSettled([onStart(child.pid)]);
    if (noted.status === "rejected") close();
    const { code } = await child.status;
    const enough = clock.after(lateWords, () => ours.abort()); // helpers may hold its stderr open for longer
    const words = await complaint;
    enough();
    if (noted.status === "rejected") throw noted.reason;
    return { status: signal.aborted ? 0 : code, complaint: words };
  } finally {
    signal.removeEventListener("abort", close);
    giveUp();
  }
}

function start(path: string, args: readonly string[], env: Readonly<Record<string, string>>): Deno.ChildProcess {
  try {
    return new Deno.Command(path, {
      args: [...args],
      env: { ...env },
      clearEnv: true,
      stdin: "null",
      stdout: "inherit",
      stderr: "piped",
      detached: true,
    }).spawn();
  } catch (error) {
    throw new ProgramError(126, `Cannot start "${path}": ${error instanceof Error ? error.message : error}`);
  }
}

function killGroup(leader: number, signal: Deno.Signal): void {
  try {
    Deno.kill(-leader, signal);
  } catch {
    // all of it has ended
  }
}

/** The end of a text; resolves when the stream ends or the signal aborts. */
async function lastOf(stream: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<string> {
  let text = "";
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  const stop = () => void reader.cancel();
  signal.addEventListener("abort", stop, { once: true });
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    text = (text + value).slice(-kept);
  }
  signal.removeEventListener("abort", stop);
  return text.trim();
}
