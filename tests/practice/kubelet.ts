import net from "node:net";
import type { EventRecorder } from "./event_recorder.ts";
import type { Inside } from "./inside.ts";
import type { Manifest } from "./kube_object.ts";
import type { Network } from "./network.ts";
import type { PodGate } from "./pod_gate.ts";
import type { PodObject } from "./pod_object.ts";
import type { PodState } from "./pod_state.ts";
import { processProgram } from "./process_program.ts";
import type { Program } from "./program.ts";
import type { Registry } from "./registry.ts";
import { resourceTable } from "./resource_table.ts";
import { RunningPod } from "./running_pod.ts";
import { schedule } from "./scheduler.ts";
import { StatusError } from "./status_error.ts";
import type { Store } from "./store.ts";

const podResource = resourceTable.get("pods")!;

/** What {@linkcode Kubelet} needs. */
export interface KubeletDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly network: Network;
  readonly inside: Inside;
  readonly gate: PodGate;
  readonly events: EventRecorder;
  /** See `PracticeOptions.backOff`. */
  readonly backOff: number;
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
      if (type === "ADDED" && (resource === "configmaps" || resource === "secrets")) {
        this.#retry("object", object.metadata.namespace);
      }
      if (resource === "nodes" || (resource === "pods" && type === "DELETED")) this.#retry("node");
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

  /** What a pod's program has logged, since its last start or before that. */
  log(uid: string, previous = false): readonly string[] {
    return this.#pods.get(uid)?.log(previous) ?? [];
  }

  /** Ends all pods at once. */
  async stop(): Promise<void> {
    await this.idle();
    await Promise.all([...this.#pods.values()].map((pod) => pod.kill()));
    await this.idle();
  }

  /** Ends a pod at once; it stays, as failed, with a reason. */
  async evict(uid: string, reason: string, message: string): Promise<void> {
    await this.#pods.get(uid)?.fail(reason, message);
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
    await running?.kill();
  }

  async #sync(pod: PodObject): Promise<void> {
    const { uid } = pod.metadata;
    const running = this.#pods.get(uid) ?? this.#place(pod);
    if (pod.metadata.deletionTimestamp) return this.#terminate(pod, running);
    const state = stateOf(pod);
    if (running.asked === state) return;
    running.asked = state;
    await running.enter();
  }

  /** Something has changed that pods may wait for: a node's room, or a ConfigMap or a Secret of a namespace. */
  #retry(what: "node" | "object", namespace?: string): void {
    for (const pod of this.#pods.values()) {
      if (pod.waits === what && pod.namespace === (namespace ?? pod.namespace)) this.#work(() => pod.enter());
    }
  }

  /** Gives a pod a node, or says why there is none for it. */
  #schedule(pod: PodObject): string | undefined {
    const { registry, store, events } = this.#deps;
    const { namespace = "", name, uid } = pod.metadata;
    const now = store.get<PodObject>("pods", namespace, name);
    if (now?.metadata.uid !== uid || now.spec.nodeName) return undefined;
    const found = schedule(now, store);
    if ("node" in found) {
      registry.update(podResource, namespace, name, { ...now, spec: { ...now.spec, nodeName: found.node } });
      return undefined;
    }
    events.warn(now, "default-scheduler", "FailedScheduling", found.why);
    return found.why;
  }

  #place(pod: PodObject): RunningPod {
    const number = ++this.#lastAddress;
    const low = number & 0xff;
    const ips = [`10.244.${number >> 8}.${low}`];
    if (this.#deps.dualStack) ips.push(`fd00:10:244::${number.toString(16)}`);
    const address = this.#blocks ? `127.88.${(this.#block + (number >> 8)) & 0xff}.${low}` : "127.0.0.1";
    const running = new RunningPod(pod, ips, address, {
      ...this.#deps,
      schedule: (pod) => this.#schedule(pod),
      program: (image) => this.#deps.programs.get(image) ?? processProgram(image),
      report: (pod, status) => this.#writeStatus(pod, status),
      warn: (pod, reason, message) => this.#deps.events.warn(pod, "kubelet", reason, message),
      work: (step) => this.#work(step),
    });
    this.#pods.set(pod.metadata.uid, running);
    return running;
  }

  async #terminate(pod: PodObject, running: RunningPod): Promise<void> {
    if (running.terminating) return;
    running.terminating = true;
    const linger = Number(pod.metadata.annotations?.["practice/linger"] ?? 0);
    const grace = (pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000;
    const finish = async () => {
      await running.terminate(grace);
      const { namespace = "", name, uid } = pod.metadata;
      tolerateMissing(() => {
        this.#deps.registry.delete(podResource, namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
      });
    };
    if (linger > 0) running.after(linger, () => this.#work(finish));
    // A process may take all of its grace period, which `idle` is not to wait for.
    else if (pod.spec.containers.some(({ image }) => this.#isProcess(image))) void finish();
    else await finish();
  }

  #isProcess(image: string): boolean {
    return !this.#deps.programs.has(image) && processProgram(image) !== undefined;
  }

  #writeStatus(pod: PodObject, status: unknown): void {
    const { namespace = "", name, uid } = pod.metadata;
    tolerateMissing(() => {
      const { registry, store } = this.#deps;
      const now = store.get<PodObject>("pods", namespace, name);
      if (now?.metadata.uid !== uid) return;
      const manifest: Manifest = { apiVersion: "v1", kind: "Pod", metadata: {}, status };
      registry.update(podResource, namespace, name, manifest, { subresource: "status" });
    });
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
