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
}

const platform: InterruptDeps = {
  os: Deno.build.os,
  listen: Deno.addSignalListener,
  unlisten: Deno.removeSignalListener,
  exit: Deno.exit,
};

/**
 * Watches for Ctrl-C, Ctrl-Break, a closed terminal and a polite kill. The first one aborts the signal, so that things can be put in
 * order; the second one ends the process on the spot with status 130, for the case that they cannot.
 */
export function watchInterrupts(deps: InterruptDeps = platform): InterruptWatch {
  const controller = new AbortController();
  // Deno raises SIGHUP on Windows for a closed console window, SIGBREAK for Ctrl-Break; elsewhere SIGBREAK is no signal.
  const names: Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  if (deps.os === "windows") names.push("SIGBREAK");
  let paused = false;
  const handlers = names.map((name) => {
    const handler = () => {
      if (paused) return;
      if (controller.signal.aborted) deps.exit(130);
      else controller.abort(new Interrupted(name));
    };
    deps.listen(name, handler);
    return { name, handler };
  });
  return {
    signal: controller.signal,
    pause: () => void (paused = true),
    resume: () => void (paused = false),
    close() {
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
