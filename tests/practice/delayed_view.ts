import type { KubeObject } from "./kube_object.ts";
import type { Change, Store } from "./store.ts";

/** What one who learns of changes late knows of the objects in a store. */
export class DelayedView {
  readonly #objects = new Map<string, KubeObject>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #unsubscribe: () => void;

  /** `delay` in milliseconds; for an empty store. */
  constructor(store: Store, delay: number) {
    this.#unsubscribe = store.onChange((change) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#apply(change);
      }, delay);
      this.#timers.add(timer);
    });
  }

  /** As that of the store. */
  get<T extends KubeObject>(resource: string, namespace: string, name: string): T | undefined {
    return this.#objects.get(`${resource}/${namespace}/${name}`) as T | undefined; // what was stored under that resource
  }

  /** As that of the store, unsorted. */
  list<T extends KubeObject>(resource: string, namespace?: string): T[] {
    const prefix = namespace === undefined ? `${resource}/` : `${resource}/${namespace}/`;
    return [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object as T); // as in get
  }

  stop(): void {
    this.#unsubscribe();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #apply({ resource, type, object }: Change): void {
    const key = `${resource}/${object.metadata.namespace ?? ""}/${object.metadata.name}`;
    if (type === "DELETED") this.#objects.delete(key);
    else this.#objects.set(key, object);
  }
}
