import type { Clock } from "../platform/clock.ts";
import { type Api, ApiError } from "./api.ts";

/** Whom to tell of what. */
export interface ApiHealthOptions {
  readonly api: Api;
  /** The API server does not answer any more; `reason` is a sentence. Told once for each loss. */
  readonly onLost: (reason: string) => void;
  /** It answers again after so many seconds. */
  readonly onBack: (seconds: number) => void;
}

/** Whether the API server answers, asked again and again until closed. */
export interface ApiHealth {
  /** Why it counts as lost; undefined while it answers. */
  readonly lost: string | undefined;
  close(): void;
}

/** Together these notice a silent server within 8 + 4 + 2 = 14 s … */
const interval = 8_000;
const patience = 4_000;
const secondPatience = 2_000;
/** … and its return within 3 + 1 s. */
const lostInterval = 1_000;
const lostPatience = 3_000;

/** Asks for `/version`, which costs next to nothing, every 8 s, and every second while it gets no answer. */
export function watchApiHealth(options: ApiHealthOptions, deps: { readonly clock: Clock }): ApiHealth {
  return new RunningHealth(options, deps.clock);
}

class RunningHealth implements ApiHealth {
  lost: string | undefined;
  readonly #options: ApiHealthOptions;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #lostAt = 0;
  #stop: () => void;

  constructor(options: ApiHealthOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#stop = clock.after(interval, () => this.#check());
  }

  close(): void {
    this.#closing.abort();
    this.#stop();
  }

  async #check(): Promise<void> {
    const began = this.#clock.now();
    let failure = await this.#ask(this.lost === undefined ? patience : lostPatience);
    // One lost packet or one connection that a load balancer has forgotten is no outage.
    if (failure !== undefined && this.lost === undefined) failure = await this.#ask(secondPatience);
    if (this.#closing.signal.aborted) return;
    if (failure !== undefined && this.lost === undefined) {
      this.lost = failure;
      this.#lostAt = began;
      this.#options.onLost(failure);
    } else if (failure === undefined && this.lost !== undefined) {
      this.lost = undefined;
      this.#options.onBack(Math.round((this.#clock.now() - this.#lostAt) / 1000));
    }
    this.#stop = this.#clock.after(this.lost === undefined ? interval : lostInterval, () => this.#check());
  }

  /** Undefined where the server answers, with whatever; else why not. */
  async #ask(ms: number): Promise<string | undefined> {
    const limit = new AbortController();
    const stopTimer = this.#clock.after(ms, () => limit.abort(new Error(`no answer within ${ms / 1000} s`)));
    try {
      await this.#options.api.get("/version", {}, AbortSignal.any([this.#closing.signal, limit.signal]));
      return undefined;
    } catch (error) {
      if (error instanceof ApiError && error.status < 500) return undefined;
      return error instanceof Error ? error.message : String(error);
    } finally {
      stopTimer();
    }
  }
}
