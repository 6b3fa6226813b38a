import type { KubeObject } from "./kube_object.ts";
import { StatusError } from "./status_error.ts";

/** One thing that happened to an object. */
export interface Change {
  readonly revision: number;
  /** Key of the resource table. */
  readonly resource: string;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  /** As it is now, or was when it was deleted, with the change's own resourceVersion. */
  readonly object: KubeObject;
  /** As it was before. */
  readonly previous: KubeObject | undefined;
}

/** Changes that are remembered; watches from before them get a 410. */
const longestHistory = 20_000;

/** What etcd is to a real cluster: all objects, one revision counter, and a history to watch. */
export class Store {
  /** Starts where a cluster that has been in use for a while would be. */
  #revision = 1000;
  #oldest = 1000;
  #history: Change[] = [];
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #listeners = new Set<(change: Change) => void>();

  get revision(): number {
    return this.#revision;
  }

  get<T extends KubeObject>(resource: string, namespace: string, name: string): T | undefined {
    // What is stored under a resource has passed its admission.
    return this.#objects.get(resource)?.get(`${namespace}/${name}`) as T | undefined;
  }

  /** Sorted by namespace, then name. */
  list<T extends KubeObject>(resource: string, namespace?: string): T[] {
    const all = this.#objects.get(resource);
    if (!all) return [];
    const keys = [...all.keys()].filter((key) => namespace === undefined || key.startsWith(`${namespace}/`)).sort();
    return keys.map((key) => all.get(key) as T); // as in get
  }

  /** Every object: its resource and itself. */
  *everything(): Iterable<[resource: string, object: KubeObject]> {
    for (const [resource, objects] of this.#objects) for (const object of objects.values()) yield [resource, object];
  }

  /** Stores an object under its name, with a new resourceVersion, and returns it as stored. */
  put(resource: string, object: KubeObject): KubeObject {
    const objects = this.#objects.get(resource) ?? new Map<string, KubeObject>();
    this.#objects.set(resource, objects);
    const key = keyOf(object);
    const previous = objects.get(key);
    const stored = this.#version(object);
    objects.set(key, stored);
    this.#record({
      revision: this.#revision,
      resource,
      type: previous ? "MODIFIED" : "ADDED",
      object: stored,
      previous,
    });
    return stored;
  }

  /** Removes an object and returns its last state. */
  remove(resource: string, object: KubeObject): KubeObject {
    const previous = this.get(resource, object.metadata.namespace ?? "", object.metadata.name);
    this.#objects.get(resource)?.delete(keyOf(object));
    const last = this.#version(previous ?? object);
    this.#record({ revision: this.#revision, resource, type: "DELETED", object: last, previous });
    return last;
  }

  /** What happened after a revision; a 410 if that is no longer known. */
  since(revision: number): Change[] {
    if (revision < this.#oldest) throw StatusError.expired(`too old resource version: ${revision} (${this.#oldest})`);
    let at = this.#history.length;
    while (at > 0 && this.#history[at - 1]!.revision > revision) at--;
    return this.#history.slice(at);
  }

  /** Calls back with each change from now on; returns what ends it. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Drops the history, as etcd's compaction does. */
  forgetHistory(): void {
    this.#history = [];
    this.#oldest = ++this.#revision;
  }

  /** Whether a revision is too old to go on from. */
  forgot(revision: number): boolean {
    return revision < this.#oldest;
  }

  #version(object: KubeObject): KubeObject {
    const metadata = { ...object.metadata, resourceVersion: String(++this.#revision) };
    return { ...object, metadata };
  }

  #record(change: Change): void {
    this.#history.push(change);
    if (this.#history.length > longestHistory) {
      const dropped = this.#history.splice(0, longestHistory / 2);
      this.#oldest = dropped.at(-1)!.revision;
    }
    for (const listener of [...this.#listeners]) listener(change);
  }
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}
