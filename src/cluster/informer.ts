import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { AccessError } from "./access.ts";
import { type Api, ApiError, type Query, type WatchEvent } from "./api.ts";

/** What to watch, and whom to tell. */
export interface InformerOptions<T> {
  readonly api: Api;
  /** `/api/v1/namespaces/dev/services` */
  readonly path: string;
  /** `labelSelector`, `fieldSelector`. */
  readonly query: Query;
  /** A whole list: replaces all that was told before. */
  onSync(items: readonly T[]): void;
  onEvent(event: WatchEvent<T>): void;
  /** A list or watch failed, an `ApiError` or `AccessError`; it is tried again after a while, unless the signal is aborted here. */
  onError(error: unknown): void;
}

/** A running informer. */
export interface Informer {
  /** Tries again now, if it waits after a failure: whoever knows that the server is back may say so. */
  poke(): void;
  /** Resolves once the signal has aborted and nothing is under way any more. */
  readonly done: Promise<void>;
}

const shortestDelay = 800;
const longestDelay = 30_000;
/** A server that cannot be reached at all is not spared by long waits, and people wait for it: 5 s of silence while it is tried come on top. */
const longestUnreachableDelay = 2_000;
const forgivenAfter = 120_000;
/** A watch that ends sooner did not go well, whatever it says. */
const shortestWatch = 1000;

/**
 * Keeps a list current until `signal` aborts: lists, then watches, from where the last watch ended, and lists again when that is too long ago
 * (410). Failures are followed by growing, jittered delays, as in client-go's reflector: 0.8 s doubling to 30 s (2 s while the
 * server cannot be reached), from the start again after two good minutes.
 */
export function runInformer<T>(
  options: InformerOptions<T>,
  deps: { readonly clock: Clock; readonly log: Log; readonly random?: () => number },
  signal: AbortSignal,
): Informer {
  const running = new RunningInformer(options, deps, signal);
  return { poke: () => running.poke(), done: running.run() };
}

class RunningInformer<T> {
  readonly #options: InformerOptions<T>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #random: () => number;
  readonly #signal: AbortSignal;
  /** Up to where everything was told; undefined where only a list will do. */
  #version: string | undefined;
  #failures = 0;
  #failedAt = -Infinity;
  #wake: (() => void) | undefined;

  constructor(
    options: InformerOptions<T>,
    { clock, log, random = Math.random }: { readonly clock: Clock; readonly log: Log; readonly random?: () => number },
    signal: AbortSignal,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#random = random;
    this.#signal = signal;
  }

  poke(): void {
    this.#wake?.();
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      const started = this.#clock.now();
      try {
        if (this.#version === undefined) await this.#list();
        else await this.#watch(this.#version);
      } catch (error) {
        if (this.#signal.aborted) return;
        if (error instanceof ApiError && error.status === 410) this.#version = undefined;
        else this.#options.onError(error);
        if (!(error instanceof ApiError) || error.status !== 410 || this.#clock.now() - started < shortestWatch) {
          await this.#pause(error);
        }
      }
    }
  }

  async #list(): Promise<void> {
    const { resourceVersion, items } = await this.#options.api.list<T>(
      this.#options.path,
      this.#options.query,
      this.#signal,
    );
    this.#options.onSync(items);
    this.#version = resourceVersion;
  }

  async #watch(version: string): Promise<void> {
    const started = this.#clock.now();
    const { api, path, query } = this.#options;
    const events = api.watch<T>(path, query, version, (seen) => this.#version = seen, this.#signal);
    for await (const event of events) this.#options.onEvent(event);
    if (this.#clock.now() - started < shortestWatch) {
      throw new AccessError("unreachable", `The watch of ${path} ended at once`);
    }
  }

  async #pause(error: unknown): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#failedAt > forgivenAfter) this.#failures = 0;
    this.#failedAt = now;
    const unreachable = error instanceof AccessError && (error.kind === "unreachable" || error.kind === "timeout");
    const limit = unreachable ? longestUnreachableDelay : longestDelay;
    const delay = Math.min(limit, shortestDelay * 2 ** Math.min(this.#failures++, 10)) * (0.5 + this.#random() / 2);
    this.#log.debug(`${this.#options.path}: trying again in ${Math.round(delay)} ms`);
    const waking = new AbortController();
    this.#wake = () => waking.abort();
    const end = () => waking.abort();
    this.#signal.addEventListener("abort", end, { once: true });
    // Woken or over: the caller's loop looks which.
    if (!this.#signal.aborted) await this.#clock.sleep(delay, waking.signal).catch(() => {});
    this.#signal.removeEventListener("abort", end);
    this.#wake = undefined;
  }
}
