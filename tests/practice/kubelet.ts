import net from "node:net";
import type { Manifest } from "./kube_object.ts";
import type { Network } from "./network.ts";
import { node } from "./node.ts";
import type { ContainerSpec, PodObject } from "./pod_object.ts";
import { PodSockets } from "./pod_sockets.ts";
import type { PodState } from "./pod_state.ts";
import { podStatus } from "./pod_status.ts";
import type { Container, Program } from "./program.ts";
import type { Registry } from "./registry.ts";
import { resourceTable } from "./resource_table.ts";
import { StatusError } from "./status_error.ts";
import type { Store } from "./store.ts";

const podResource = resourceTable.get("pods")!;

/** What {@linkcode Kubelet} needs. */
export interface KubeletDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly network: Network;
  readonly programs: ReadonlyMap<string, Program>;
  readonly dualStack: boolean;
}

/** Schedules pods and runs their programs. */
export class Kubelet {
  readonly #deps: KubeletDeps;
  readonly #pods = new Map<string, RunningPod>();
  readonly #blocks: boolean;
  /** The third byte of pods' loopback addresses, so that two practice clusters rarely meet. */
  readonly #block = crypto.getRandomValues(new Uint8Array(1))[0]!;
  #lastAddress = 1;
  #busy = 0;
  #idle: (() => void)[] = [];

  private constructor(deps: KubeletDeps, blocks: boolean) {
    this.#deps = deps;
    this.#blocks = blocks;
    deps.store.onChange(({ resource, type, object }) => {
      if (resource !== "pods") return;
      const pod = object as PodObject; // the store keeps Pods under this resource
      if (type === "DELETED") this.#work(() => this.#gone(pod));
      else if (type === "ADDED" || this.#pods.has(pod.metadata.uid)) this.#work(() => this.#sync(pod));
    });
  }

  static async start(deps: KubeletDeps): Promise<Kubelet> {
    return new Kubelet(deps, await canBind("127.88.0.1"));
  }

  /** Resolves when no pod is being started or stopped; those that linger do not count. */
  async idle(): Promise<void> {
    while (this.#busy > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** What a pod's program has logged. */
  log(uid: string): readonly string[] {
    return this.#pods.get(uid)?.log ?? [];
  }

  /** Ends all pods at once. */
  async stop(): Promise<void> {
    await this.idle();
    await Promise.all([...this.#pods.values()].map((pod) => pod.stop()));
  }

  /** Runs a step after those before it for the same pod; steps never reject. */
  #work(step: () => Promise<void>): void {
    this.#busy++;
    step().finally(() => {
      if (--this.#busy === 0) { for (const resolve of this.#idle.splice(0)) resolve(); }
    });
  }

  async #gone(pod: PodObject): Promise<void> {
    const running = this.#pods.get(pod.metadata.uid);
    this.#pods.delete(pod.metadata.uid);
    await running?.enqueue(() => running.stop());
  }

  async #sync(pod: PodObject): Promise<void> {
    const { uid } = pod.metadata;
    const running = this.#pods.get(uid) ?? this.#place(pod);
    if (pod.metadata.deletionTimestamp) return this.#terminate(pod, running);
    const state = stateOf(pod);
    if (running.asked === state) return;
    running.asked = state;
    await running.enqueue(async () => {
      const status = await running.enter(state, pod);
      this.#writeStatus(pod, status.scheduled, status.status);
    });
  }

  #place(pod: PodObject): RunningPod {
    const number = ++this.#lastAddress;
    const low = number & 0xff;
    const ips = [`10.244.${number >> 8}.${low}`];
    if (this.#deps.dualStack) ips.push(`fd00:10:244::${number.toString(16)}`);
    const address = this.#blocks ? `127.88.${(this.#block + (number >> 8)) & 0xff}.${low}` : "127.0.0.1";
    const running = new RunningPod(pod, ips, address, this.#deps);
    this.#pods.set(pod.metadata.uid, running);
    return running;
  }

  async #terminate(pod: PodObject, running: RunningPod): Promise<void> {
    if (running.terminating) return;
    running.terminating = true;
    const linger = Number(pod.metadata.annotations?.["practice/linger"] ?? 0);
    const finish = async () => {
      await running.enqueue(() => running.stop());
      const { namespace = "", name, uid } = pod.metadata;
      tolerateMissing(() => {
        this.#deps.registry.delete(podResource, namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
      });
    };
    if (linger > 0) running.after(linger, () => this.#work(finish));
    else await finish();
  }

  #writeStatus(pod: PodObject, scheduled: boolean, status: unknown): void {
    const { namespace = "", name, uid } = pod.metadata;
    tolerateMissing(() => {
      const { registry, store } = this.#deps;
      const now = store.get<PodObject>("pods", namespace, name);
      if (now?.metadata.uid !== uid) return;
      if (scheduled && !now.spec.nodeName) {
        registry.update(podResource, namespace, name, { ...now, spec: { ...now.spec, nodeName: node.name } });
      }
      const manifest: Manifest = { apiVersion: "v1", kind: "Pod", metadata: {}, status };
      registry.update(podResource, namespace, name, manifest, { subresource: "status" });
    });
  }
}

/** One pod on the node: its sockets and what runs. */
class RunningPod {
  readonly log: string[] = [];
  /** The state asked for last. */
  asked: PodState | undefined;
  terminating = false;
  readonly #deps: KubeletDeps;
  readonly #pod: PodObject;
  readonly #ips: readonly string[];
  readonly #address: string;
  #chain: Promise<void> = Promise.resolve();
  #linger: ReturnType<typeof setTimeout> | undefined;
  #run:
    | { readonly end: AbortController; readonly sockets: PodSockets; readonly stops: (() => Promise<void> | void)[] }
    | undefined;
  #restarts = 0;

  constructor(pod: PodObject, ips: readonly string[], address: string, deps: KubeletDeps) {
    this.#pod = pod;
    this.#ips = ips;
    this.#address = address;
    this.#deps = deps;
  }

  enqueue(step: () => Promise<void>): Promise<void> {
    return this.#chain = this.#chain.then(step);
  }

  after(milliseconds: number, action: () => void): void {
    this.#linger = setTimeout(action, milliseconds);
  }

  /** Brings the pod into a state, or as near as it gets; resolves with what its status is then. */
  async enter(wanted: PodState, pod: PodObject): Promise<{ scheduled: boolean; status: unknown }> {
    let state = wanted;
    let why = "";
    const missing = pod.spec.containers.find((container) => !this.#deps.programs.has(container.image));
    if ((state === "ready" || state === "not-ready") && missing) state = "image-pull";
    if (state === "ready" || state === "not-ready") {
      try {
        if (!this.#run) await this.#start(pod);
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
        this.log.push(why);
        state = "crash-loop";
      }
    }
    if (state !== "ready" && state !== "not-ready") await this.stop();
    if (state === "crash-loop") this.#restarts++;
    const ips = state === "pending" || state === "creating" ? [] : this.#ips;
    const scheduled = state !== "pending";
    return { scheduled, status: podStatus(pod, state, { ips, restarts: this.#restarts, why }) };
  }

  async stop(): Promise<void> {
    clearTimeout(this.#linger);
    const run = this.#run;
    this.#run = undefined;
    if (!run) return;
    run.end.abort();
    await Promise.all(run.stops.map((stop) => stop()));
    await run.sockets.close();
  }

  async #start(pod: PodObject): Promise<void> {
    const sockets = new PodSockets(this.#deps.network, pod.metadata.uid, this.#ips, this.#address);
    this.#run = { end: new AbortController(), sockets, stops: [] };
    for (const container of pod.spec.containers) {
      const program = this.#deps.programs.get(container.image)!;
      this.#run.stops.push(await program(this.#container(container, sockets, this.#run.end.signal)));
    }
  }

  #container(spec: ContainerSpec, sockets: PodSockets, signal: AbortSignal): Container {
    const { namespace = "", name } = this.#pod.metadata;
    return {
      pod: { namespace, name, ip: this.#ips[0]! },
      name: spec.name,
      image: spec.image,
      env: Object.fromEntries((spec.env ?? []).map(({ name, value = "" }) => [name, value])),
      command: spec.command ?? [],
      args: spec.args ?? [],
      ports: (spec.ports ?? []).map((p) => ({
        name: p.name ?? "",
        port: p.containerPort,
        protocol: p.protocol ?? "TCP",
      })),
      address: this.#address,
      listen: (port, onConnection, on) => sockets.listen(port, onConnection, on),
      reserve: (port, on) => sockets.reserve(port, on),
      log: (line) => void this.log.push(line),
      signal,
    };
  }
}

function stateOf(pod: PodObject): PodState {
  return (pod.metadata.annotations?.["practice/state"] ?? "ready") as PodState; // a test's own word; podStatus refuses others
}

/** The object may be gone before we come to write it. */
function tolerateMissing(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
  }
}

function canBind(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(false));
    server.listen(0, address, () => server.close(() => resolve(true)));
  });
}
