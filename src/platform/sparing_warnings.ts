import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

/** Milliseconds for which the same is not said again. */
const quiet = 30_000;
/** Warnings within {@linkcode quiet} at the most: whoever scans ports is not to drown what else is said. */
const most = 100;

/** Warnings about destinations that programs try again and again: each is told once in 30 s, what is not told as a warning is told as `debug`. */
export class SparingWarnings {
  readonly #clock: Clock;
  readonly #log: Pick<Log, "warn" | "debug">;
  /** When each was told, the oldest first. */
  readonly #told = new Map<string, number>();

  constructor(deps: { readonly clock: Clock; readonly log: Pick<Log, "warn" | "debug"> }) {
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  /** `about` is the destination, which the sentence need not name. */
  warn(about: string, sentence: string): void {
    const now = this.#clock.now();
    for (const [key, at] of this.#told) {
      if (now - at < quiet) break;
      this.#told.delete(key);
    }
    const key = `${about}\n${sentence}`;
    if (this.#told.has(key) || this.#told.size >= most) return this.#log.debug(sentence);
    this.#told.set(key, now);
    this.#log.warn(sentence);
  }
}
