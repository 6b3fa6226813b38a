import type { V1Endpoint, V1EndpointSlice, V1ObjectMeta, V1Pod, V1Service } from "@kubernetes/client-node";
import {
  type Api,
  ApiError,
  type ListResult,
  type PatchType,
  type Query,
  type WatchEvent,
} from "../../src/cluster/api.ts";

/** An object as the API server sends it. */
export interface Stored {
  readonly metadata: V1ObjectMeta;
  readonly [field: string]: unknown;
}

type Verb = "get" | "list" | "watch";
type Fault = number | "hang" | Error;

/** Kubernetes' API in memory: `get`, `list` with selectors, `watch`; each can be made to fail. Writes are done by `put` and `remove`. */
export class FakeApi implements Api {
  /** What was asked, in order: `get /api/v1/namespaces/dev`, `list /api/v1/pods?fieldSelector=status.podIP=10.0.0.1`. */
  readonly asked: string[] = [];
  /** User name in refusals. */
  user = "alice";
  readonly #objects = new Map<string, Map<string, Stored>>();
  readonly #watches = new Set<{ readonly path: string; push(event: WatchEvent<Stored>): void }>();
  readonly #faults = new Map<string, Fault>();

  /** How many watches stand. */
  get watches(): number {
    return this.#watches.size;
  }

  put(path: string, object: Stored): void {
    const objects = this.#objects.get(path) ?? new Map();
    const name = object.metadata.name ?? "";
    const type = objects.has(name) ? "MODIFIED" : "ADDED";
    this.#objects.set(path, objects.set(name, object));
    this.#push(path, { type, object });
  }

  remove(path: string, name: string): void {
    const object = this.#objects.get(path)?.get(name);
    if (!object) throw new Error(`There is no ${path}/${name} to remove`);
    this.#objects.get(path)?.delete(name);
    this.#push(path, { type: "DELETED", object });
  }

  /** Makes `verb` on the collection `path` (without names) fail: with an HTTP status, an error, or by never answering. */
  fail(verb: Verb, path: string, fault: Fault): void {
    this.#faults.set(`${verb} ${path}`, fault);
  }

  /** Ends all faults. */
  mend(): void {
    this.#faults.clear();
  }

  async get<T>(path: string, query: Query, signal: AbortSignal): Promise<T> {
    const [collection, name] = split(path);
    await this.#admit("get", collection, path, query, signal);
    const object = this.#objects.get(collection)?.get(name);
    if (!object) {
      throw new ApiError(404, "NotFound", `${collection.split("/").at(-1)} "${name}" not found`, `GET ${path}`);
    }
    // A caller who names the wrong type for a path is wrong with the real API too.
    return object as T;
  }

  async list<T>(path: string, query: Query, signal: AbortSignal): Promise<ListResult<T>> {
    await this.#admit("list", path, path, query, signal);
    const resource = path.split("/").at(-1);
    const everywhere = /^\/api\/v1\/(?:services|pods)$/.test(path);
    const collections = [...this.#objects].filter(([each]) =>
      each === path || everywhere && each.endsWith(`/${resource}`)
    );
    const items = collections.flatMap(([, objects]) => [...objects.values()]).filter((object) =>
      matches(object, query)
    );
    return { resourceVersion: "1", items: items as T[] }; // as above
  }

  async *watch<T>(
    path: string,
    query: Query,
    _resourceVersion: string,
    _onVersion: (resourceVersion: string) => void,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    await this.#admit("watch", path, path, query, signal);
    const events: WatchEvent<Stored>[] = [];
    let wake = () => {};
    const watch = {
      path,
      push: (event: WatchEvent<Stored>) => {
        events.push(event);
        wake();
      },
    };
    const abort = () => wake();
    signal.addEventListener("abort", abort);
    this.#watches.add(watch);
    try {
      while (!signal.aborted) {
        const event = events.shift();
        if (event) yield event as WatchEvent<T>; // as above
        else await new Promise<void>((resolve) => wake = resolve);
      }
      throw signal.reason;
    } finally {
      this.#watches.delete(watch);
      signal.removeEventListener("abort", abort);
    }
  }

  create<T>(): Promise<T> {
    throw new Error("A directory creates nothing");
  }

  patch<T>(_path: string, _type: PatchType): Promise<T> {
    throw new Error("A directory changes nothing");
  }

  delete(): Promise<void> {
    throw new Error("A directory deletes nothing");
  }

  async #admit(verb: Verb, collection: string, path: string, query: Query, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const words = Object.entries(query).filter(([key]) => key.endsWith("Selector")).map(([key, value]) =>
      `?${key}=${value}`
    );
    this.asked.push(`${verb} ${path}${words.join("")}`);
    await Promise.resolve();
    const fault = this.#faults.get(`${verb} ${collection}`);
    if (fault === undefined) return;
    if (fault instanceof Error) throw fault;
    if (fault === "hang") {
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
    }
    const resource = collection.split("/").at(-1);
    const namespace = /namespaces\/([^/]+)\//.exec(collection)?.[1];
    const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
    const message = fault === 403
      ? `${resource} is forbidden: User "${this.user}" cannot ${verb} resource "${resource}" in API group "" ${where}`
      : fault === 404
      ? "the server could not find the requested resource"
      : `HTTP ${fault}`;
    throw new ApiError(
      Number(fault),
      fault === 403 ? "Forbidden" : fault === 404 ? "NotFound" : "",
      message,
      `GET ${path}`,
    );
  }

  #push(path: string, event: WatchEvent<Stored>): void {
    for (const watch of this.#watches) if (watch.path === path) watch.push(event);
  }
}

function split(path: string): [collection: string, name: string] {
  const at = path.lastIndexOf("/");
  return [path.slice(0, at), path.slice(at + 1)];
}

function matches(object: Stored, { labelSelector, fieldSelector }: Query): boolean {
  const each = (text: unknown, value: (key: string) => unknown) =>
    String(text ?? "").split(",").filter((term) => term !== "").every((term) => {
      const [key = "", wanted] = term.split("=");
      return value(key) === wanted;
    });
  const field = (key: string) =>
    key.split(".").reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], object);
  return each(labelSelector, (key) => object.metadata.labels?.[key]) && each(fieldSelector, field);
}

/** Path of a collection of core/v1, or of EndpointSlices. */
export function at(namespace: string, resource: "services" | "pods" | "endpoints" | "endpointslices"): string {
  const group = resource === "endpointslices" ? "/apis/discovery.k8s.io/v1" : "/api/v1";
  return `${group}/namespaces/${namespace}/${resource}`;
}

/** Paths of namespaces and of single ones. */
export const namespacesPath = "/api/v1/namespaces";

export function namespaceObject(name: string): Stored {
  return { metadata: { name } };
}

export function serviceObject(namespace: string, name: string, spec: Partial<V1Service["spec"]> = {}): Stored {
  const ports = [{ name: "http", port: 80, targetPort: "web" }];
  return { metadata: { namespace, name }, spec: { clusterIP: "10.96.0.1", selector: { app: name }, ports, ...spec } };
}

export function sliceObject(
  namespace: string,
  service: string,
  endpoints: V1EndpointSlice["endpoints"],
  { name = `${service}-abc`, ...rest }: { name?: string; ports?: V1EndpointSlice["ports"]; addressType?: string } = {},
): Stored {
  const metadata = { namespace, name, labels: { "kubernetes.io/service-name": service } };
  return { metadata, addressType: "IPv4", ports: [{ name: "http", port: 8080, protocol: "TCP" }], endpoints, ...rest };
}

/** An endpoint of a slice: the pod `name` at `ip`. */
export function slicePod(
  namespace: string,
  name: string,
  ip: string,
  rest: Partial<V1Endpoint> = {},
): V1Endpoint {
  return { addresses: [ip], targetRef: { kind: "Pod", namespace, name, uid: `uid-${name}` }, ...rest };
}

export function podObject(
  namespace: string,
  name: string,
  ip: string,
  { labels = {}, ready = true, spec = {}, status = {} }: {
    labels?: Record<string, string>;
    ready?: boolean;
    spec?: Partial<V1Pod["spec"]>;
    status?: Partial<V1Pod["status"]>;
  } = {},
): Stored {
  return {
    metadata: { namespace, name, uid: `uid-${name}`, labels },
    spec: { containers: [{ name: "main", ports: [{ name: "web", containerPort: 8080 }] }], ...spec },
    status: {
      phase: "Running",
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
      ...status,
    },
  };
}
