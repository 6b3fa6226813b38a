import { type ConsoleEnd, holdConsoleEnd } from "./hold_console_end.ts";

/** Somebody asked the process to end. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly by: Deno.Signal;
  constructor(by: Deno.Signal) {
    super(`Interrupted by ${by}`);
    this.by = by;
  }
}

/** Turns signals into an abort, for as long as it is open. */
export interface InterruptWatch {
  /** Aborts, with an {@linkcode Interrupted} as its reason, at the first signal. */
  readonly signal: AbortSignal;
  /**
   * Aborts, and `signal` with it, when Windows is about to end this process and all others of its console, even while it is paused. A few seconds are left then, of which a
   * program that we run may have the first.
   */
  readonly ending: AbortSignal;
  /** Lets signals pass without any effect, for as long as they are somebody else's, until `resume`. */
  pause(): void;
  resume(): void;
  /** Gives the signals back to the platform. */
  close(): void;
}

/** What the watch uses of the platform. */
export interface InterruptDeps {
  readonly os: typeof Deno.build.os;
  listen(signal: Deno.Signal, handler: () => void): void;
  unlisten(signal: Deno.Signal, handler: () => void): void;
  exit(status: number): void;
  /** Asked on Windows only, see {@linkcode holdConsoleEnd}. */
  holdConsoleEnd(onEnd: (signal: ConsoleEnd) => void): () => void;
}

const platform: InterruptDeps = {
  os: Deno.build.os,
  listen: Deno.addSignalListener,
  unlisten: Deno.removeSignalListener,
  exit: Deno.exit,
  holdConsoleEnd,
};

/**
 * Watches for Ctrl-C, Ctrl-Break, a closed terminal, a polite kill and, on Windows, the end of the user's session. The first one aborts the signal, so that things can be put in
 * order; the second one ends the process on the spot with status 130, for the case that they cannot. Where Windows ends it anyway it is no second one.
 */
export function watchInterrupts(deps: InterruptDeps = platform): InterruptWatch {
  const controller = new AbortController();
  const ending = new AbortController();
  const windows = deps.os === "windows";
  // Deno raises SIGHUP on Windows for a closed console window, SIGTERM when the user's session ends, SIGBREAK for Ctrl-Break; elsewhere SIGBREAK is no signal.
  const names: Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  if (windows) names.push("SIGBREAK");
  let paused = false;
  const end = (name: ConsoleEnd) => {
    controller.abort(new Interrupted(name));
    ending.abort(controller.signal.reason);
  };
  const handlers = names.map((name) => {
    const handler = () => {
      if (windows && (name === "SIGHUP" || name === "SIGTERM")) return end(name);
      if (paused) return;
      if (controller.signal.aborted) deps.exit(130);
      else controller.abort(new Interrupted(name));
    };
    deps.listen(name, handler);
    return { name, handler };
  });
  const letGo = windows ? deps.holdConsoleEnd(end) : () => {};
  return {
    signal: controller.signal,
    ending: ending.signal,
    pause: () => void (paused = true),
    resume: () => void (paused = false),
    close() {
      letGo();
      for (const { name, handler } of handlers.splice(0)) deps.unlisten(name, handler);
    },
  };
}

/** Rejects with the signal's reason once it aborts. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
