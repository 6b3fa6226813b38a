import type { Admission } from "./admission.ts";
import type { ApiServer } from "./api_server.ts";
import type { CertificateAuthority, Issued } from "./certificate_authority.ts";
import type { Controllers } from "./controllers.ts";
import type { Counters } from "./counters.ts";
import type { DelayedView } from "./delayed_view.ts";
import type { Faults } from "./faults.ts";
import type { Inside } from "./inside.ts";
import type { KubeObject, Manifest } from "./kube_object.ts";
import type { Kubelet } from "./kubelet.ts";
import type { Line } from "./line.ts";
import { nodeManifest } from "./node_manifest.ts";
import { node } from "./node.ts";
import type { PodGate } from "./pod_gate.ts";
import type { PodObject } from "./pod_object.ts";
import type { PodState } from "./pod_state.ts";
import type { PortForward } from "./port_forward.ts";
import type { Practice } from "./practice.ts";
import { practiceFaults } from "./practice_faults.ts";
import type { Registry } from "./registry.ts";
import { resourceTable } from "./resource_table.ts";
import type { Resource } from "./resource_table.ts";
import type { ServerFaults } from "./server_faults.ts";
import { serviceManifests } from "./service_manifests.ts";
import type { ServiceManifestOptions } from "./service_manifests.ts";
import type { Store } from "./store.ts";
import type { UserOptions, Users } from "./users.ts";
import type { Watches } from "./watches.ts";

/** What a {@linkcode RunningPractice} is made of. */
export interface PracticeParts {
  readonly admission: Admission;
  readonly authority: CertificateAuthority;
  readonly controllers: Controllers;
  readonly counters: Counters;
  readonly gate: PodGate;
  readonly inside: Inside;
  readonly kubelet: Kubelet;
  readonly line: Line;
  readonly portForward: PortForward;
  readonly registry: Registry;
  readonly server: ApiServer;
  readonly serverFaults: ServerFaults;
  readonly store: Store;
  readonly users: Users;
  /** What pods' connections follow, where they follow changes late. */
  readonly view: DelayedView | undefined;
  readonly watches: Watches;
}

/** A practice cluster once its parts stand. */
export class RunningPractice implements Practice {
  readonly #parts: PracticeParts;
  readonly faults: Faults;
  #stopped: Promise<void> | undefined;
  /** How many nodes there have been, and one. */
  #nodes = 2;

  constructor(parts: PracticeParts) {
    this.#parts = parts;
    this.faults = practiceFaults(parts);
  }

  get server(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return this.#parts.line.port;
  }

  get authority(): string {
    return this.#parts.authority.certificate;
  }

  get counters(): Counters {
    return this.#parts.counters;
  }

  kubeconfig(name = "admin", options: { readonly namespace?: string; readonly server?: string } = {}): string {
    const user = this.#parts.users.get(name);
    const credentials = user.issued
      ? { "client-certificate-data": btoa(user.issued.certificate), "client-key-data": btoa(user.issued.key) }
      : { token: user.token };
    const cluster = { server: options.server ?? this.server, "certificate-authority-data": btoa(this.authority) };
    const context = { cluster: "practice", user: name, ...(options.namespace ? { namespace: options.namespace } : {}) };
    return JSON.stringify(
      {
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "practice", cluster }],
        users: [{ name, user: credentials }],
        contexts: [{ name: "practice", context }],
        "current-context": "practice",
      },
      null,
      2,
    );
  }

  async addUser(user: UserOptions): Promise<void> {
    const { authority, users } = this.#parts;
    const byToken = (user.by ?? "token") === "token";
    const wanted = { commonName: user.name, organizations: user.groups, expired: user.by === "expired-certificate" };
    users.add(user, byToken ? undefined : await authority.issue(wanted));
  }

  token(user: string): string {
    return this.#parts.users.get(user).token;
  }

  certificate(user: string): Issued | undefined {
    return this.#parts.users.get(user).issued;
  }

  async apply(...manifests: readonly Manifest[]): Promise<void> {
    const { registry, store } = this.#parts;
    for (const manifest of manifests) {
      const resource = resourceOf(manifest);
      const name = manifest.metadata.name ?? "";
      const namespace = resource.namespaced ? manifest.metadata.namespace ?? "default" : "";
      if (namespace && !store.get("namespaces", "", namespace)) {
        const object: Manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
        registry.create(resourceTable.get("namespaces")!, "", object);
      }
      if (store.get(resource.key, namespace, name)) registry.update(resource, namespace, name, manifest);
      else registry.create(resource, namespace, manifest);
    }
    await this.settled();
  }

  async addService(options: ServiceManifestOptions): Promise<void> {
    await this.apply(...serviceManifests(options));
  }

  get<T extends KubeObject>(resource: string, namespace: string, name: string): T | undefined {
    return this.#parts.store.get<T>(known(resource).key, namespace, name);
  }

  list<T extends KubeObject>(resource: string, namespace?: string): readonly T[] {
    return this.#parts.store.list<T>(known(resource).key, namespace);
  }

  async remove(resource: string, namespace: string, name: string): Promise<void> {
    this.#parts.registry.delete(known(resource), namespace, name);
    await this.settled();
  }

  async settled(): Promise<void> {
    const { controllers, kubelet } = this.#parts;
    do {
      await controllers.idle();
      await kubelet.idle();
    } while (controllers.busy);
  }

  async until<T>(look: () => T | undefined, signal?: AbortSignal): Promise<T> {
    let wake = () => {};
    const unsubscribe = this.#parts.store.onChange(() => wake());
    signal?.addEventListener("abort", () => wake(), { once: true });
    try {
      for (;;) {
        signal?.throwIfAborted();
        const change = new Promise<void>((resolve) => wake = resolve);
        const found = look();
        if (found !== undefined) return found;
        await change;
      }
    } finally {
      unsubscribe();
    }
  }

  async setPodState(namespace: string, name: string, state: PodState): Promise<void> {
    const annotations = { "practice/state": state };
    const body = { metadata: { annotations } };
    this.#parts.registry.patch(known("pods"), namespace, name, "application/merge-patch+json", body);
    await this.settled();
  }

  async killPod(namespace: string, name: string): Promise<void> {
    this.#parts.registry.delete(known("pods"), namespace, name, { gracePeriodSeconds: 0 });
    await this.settled();
  }

  async evictPod(namespace: string, name: string): Promise<void> {
    const { kubelet, registry } = this.#parts;
    const { uid } = registry.get(known("pods"), namespace, name).metadata;
    const why = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 52Mi. ";
    await kubelet.evict(uid, "Evicted", why);
    await this.settled();
  }

  async loseNode(): Promise<void> {
    const { registry, store } = this.#parts;
    const lost = store.list("nodes").map(({ metadata }) => metadata.name);
    registry.create(known("nodes"), "", nodeManifest(`practice-${this.#nodes++}`, node.address));
    for (const name of lost) registry.delete(known("nodes"), "", name);
    for (const pod of store.list<PodObject>("pods")) {
      if (!lost.includes(pod.spec.nodeName ?? "")) continue;
      const { namespace = "", name } = pod.metadata;
      registry.delete(known("pods"), namespace, name, { gracePeriodSeconds: 0 });
    }
    await this.settled();
  }

  addOutside(host: string, port: number, real: { readonly hostname: string; readonly port: number }): void {
    this.#parts.inside.addOutside(host, port, real);
  }

  dialFromPod(host: string, port: number, options: { readonly namespace?: string } = {}): Promise<Deno.TcpConn> {
    return this.#parts.inside.dial(host, port, options.namespace ?? "default");
  }

  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    const { controllers, gate, kubelet, line, portForward, server, view } = this.#parts;
    await this.settled();
    controllers.stop();
    view?.stop();
    await line.close();
    await server.stop();
    await kubelet.stop(); // frees sessions that wait for a pod to read
    await gate.stop();
    await portForward.ended();
  }
}

function known(name: string): Resource {
  const resource = resourceTable.get(name);
  if (!resource) throw new RangeError(`The practice cluster knows no resource "${name}"`);
  return resource;
}

function resourceOf(manifest: Manifest): Resource {
  for (const resource of resourceTable.values()) {
    if (resource.kind === manifest.kind && resource.apiVersion === manifest.apiVersion) return resource;
  }
  throw new RangeError(`The practice cluster knows no kind "${manifest.kind}" of "${manifest.apiVersion}"`);
}
