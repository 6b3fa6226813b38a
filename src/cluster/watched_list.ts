import type { V1ObjectMeta } from "@kubernetes/client-node";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { type Api, ApiError } from "./api.ts";
import { type Informer, runInformer } from "./informer.ts";

/** Milliseconds between two lists where a list may be had but no watch. */
const relistInterval = 30_000;
/** Milliseconds for which a first list that fails with the server's own trouble (429, 5xx) is tried again. */
const firstListPatience = 10_000;

/** Which list to keep. `Raw` is the object as the API server sends it, `Model` what is kept of it. */
export interface WatchedListOptions<Raw, Model> {
  readonly api: Api;
  /** `/api/v1/namespaces/dev/services` */
  readonly path: string;
  readonly model: (raw: Raw) => Model;
  readonly onChange: () => void;
}

/** The objects of one kind in one namespace by their names, kept current by a watch until `signal` aborts. */
export class WatchedList<Raw extends { readonly metadata?: V1ObjectMeta }, Model> {
  /**
   * Settles once the first list is in or refused (`refusal` tells); rejects where the API server cannot be reached or does not
   * know us. Never asked, it does no harm.
   */
  readonly settled: Promise<void>;
  readonly #options: WatchedListOptions<Raw, Model>;
  readonly #items = new Map<string, Model>();
  readonly #clock: Clock;
  readonly #watching: AbortController;
  readonly #informer: Informer;
  #synced = false;
  #refusal: ApiError | undefined;

  constructor(
    options: WatchedListOptions<Raw, Model>,
    { clock, log }: { readonly clock: Clock; readonly log: Log },
    signal: AbortSignal,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#watching = new AbortController();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.settled = promise;
    promise.catch(() => {});
    signal.addEventListener("abort", () => {
      this.#watching.abort(signal.reason);
      reject(signal.reason);
    }, { once: true });
    const started = clock.now();
    this.#informer = runInformer<Raw>(
      {
        api: options.api,
        path: options.path,
        query: {},
        onSync: (items) => {
          this.#replace(items);
          resolve();
        },
        onEvent: ({ type, object }) => {
          const name = object.metadata?.name ?? "";
          if (type === "DELETED") this.#items.delete(name);
          else this.#items.set(name, options.model(object));
          options.onChange();
        },
        onError: (error) => {
          if (error instanceof ApiError && [403, 404, 405].includes(error.status)) {
            this.#refusal = error;
            this.#watching.abort(error);
            if (this.#synced) this.#keepListing(signal);
            options.onChange();
            resolve();
          } else if (!this.#synced && (!isPassing(error) || clock.now() - started > firstListPatience)) reject(error);
        },
      },
      { clock, log },
      this.#watching.signal,
    );
  }

  /** Whether the list is complete and current. */
  get live(): boolean {
    return this.#synced && !this.#refusal;
  }

  /** Why there is no watch: a 403, or a 404 where the server does not know the kind. */
  get refusal(): ApiError | undefined {
    return this.#refusal;
  }

  /** Tries again now where it waits after a failure. */
  poke(): void {
    this.#informer.poke();
  }

  /** What was seen last: current where `live`, else up to half a minute old, or nothing. */
  values(): IterableIterator<Model> {
    return this.#items.values();
  }

  get(name: string): Model | undefined {
    return this.#items.get(name);
  }

  #replace(items: readonly Raw[]): void {
    this.#items.clear();
    for (const item of items) this.#items.set(item.metadata?.name ?? "", this.#options.model(item));
    this.#synced = true;
    this.#options.onChange();
  }

  /** A list without watch is worth having for those who want to see what there is; single names are asked for when they are wanted. */
  async #keepListing(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#clock.sleep(relistInterval, signal);
        this.#replace((await this.#options.api.list<Raw>(this.#options.path, {}, signal)).items);
      } catch {
        // Closed, or the server is away: the next round will tell.
      }
    }
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 429 || error.status >= 500);
}
