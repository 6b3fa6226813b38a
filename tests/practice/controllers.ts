import type { EndpointsController } from "./endpoints_controller.ts";
import type { Store } from "./store.ts";
import type { WorkloadController } from "./workload_controller.ts";

/** Runs the controllers over each namespace in which something has changed, until nothing does. */
export class Controllers {
  readonly #parts: readonly (EndpointsController | WorkloadController)[];
  readonly #store: Store;
  readonly #dirty = new Set<string>();
  readonly #unsubscribe: () => void;
  #running: Promise<void> | undefined;

  constructor(store: Store, parts: readonly (EndpointsController | WorkloadController)[]) {
    this.#parts = parts;
    this.#store = store;
    this.#unsubscribe = store.onChange(({ object }) => {
      if (object.metadata.namespace) this.#dirty.add(object.metadata.namespace);
      this.#running ??= Promise.resolve().then(() => this.#run());
    });
  }

  /** Runs over all namespaces: something has changed that is no object. */
  wake(): void {
    for (const { metadata } of this.#store.list("namespaces")) this.#dirty.add(metadata.name);
    this.#running ??= Promise.resolve().then(() => this.#run());
  }

  /** Whether there is something left to do. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  stop(): void {
    this.#unsubscribe();
    this.#dirty.clear();
  }

  #run(): void {
    try {
      // Bounded, so that two controllers that disagree end in an error and not in silence.
      for (let rounds = 0; this.#dirty.size > 0; rounds++) {
        if (rounds > 1000) throw new Error(`Controllers do not come to rest over "${[...this.#dirty].join(", ")}"`);
        const namespaces = [...this.#dirty];
        this.#dirty.clear();
        for (const namespace of namespaces) for (const part of this.#parts) part.reconcile(namespace);
      }
    } finally {
      this.#running = undefined;
    }
  }
}
