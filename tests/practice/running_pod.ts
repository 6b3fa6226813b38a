import { containerEnvironment } from "./container_environment.ts";
import type { Inside } from "./inside.ts";
import type { Network } from "./network.ts";
import { PodFiles } from "./pod_files.ts";
import type { PodGate } from "./pod_gate.ts";
import type { ContainerSpec, PodObject } from "./pod_object.ts";
import { PodSockets } from "./pod_sockets.ts";
import type { PodState } from "./pod_state.ts";
import { endedStatus, podStatus, pullFailure } from "./pod_status.ts";
import type { Container, Program, StopProgram } from "./program.ts";
import { ReadinessProbe } from "./readiness_probe.ts";
import type { Store } from "./store.ts";

/** Lines of a container's log that are kept. */
const longestLog = 10_000;
/** A container's longest wait for its next start, in milliseconds. */
const longestBackOff = 300_000;

/** What a {@linkcode RunningPod} needs. */
export interface RunningPodDeps {
  readonly store: Store;
  readonly network: Network;
  readonly inside: Inside;
  readonly gate: PodGate;
  /** What an image runs; undefined if it cannot be pulled. */
  readonly program: (image: string) => Program | undefined;
  /** Milliseconds before the second restart of a container; each further wait is twice as long. The first is at once. */
  readonly backOff: number;
  /** Gives the pod a node, unless it has one. Returns why there is none for it. */
  readonly schedule: (pod: PodObject) => string | undefined;
  /** Writes the pod's status. */
  readonly report: (pod: PodObject, status: unknown) => void;
  /** Records an Event about it. */
  readonly warn: (pod: PodObject, reason: string, message: string) => void;
  /** Runs a step that `settled` waits for. */
  readonly work: (step: () => Promise<void>) => void;
}

interface Run {
  readonly end: AbortController;
  readonly sockets: PodSockets;
  readonly gate: Container["gate"] & { end(): void };
  readonly stops: StopProgram[];
  readonly probes: ReadinessProbe[];
  /** Probes that say no. */
  unready: number;
}

interface Stuck {
  readonly state: PodState;
  readonly reason?: string;
  readonly why: string;
}

/** One pod on the node: its files, its sockets and what runs. Its containers start and end together. */
export class RunningPod {
  /** The state asked for last. */
  asked: PodState | undefined;
  terminating = false;
  readonly #deps: RunningPodDeps;
  readonly #pod: PodObject;
  readonly #ips: readonly string[];
  readonly #address: string;
  readonly #graceOver = new AbortController();
  #log: string[] = [];
  #previousLog: string[] = [];
  #chain: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #files: PodFiles | undefined;
  #run: Run | undefined;
  #restarts = 0;
  #exitCode: number | undefined;
  /** The end of its log, where that is to say why it ended. */
  #lastWords = "";
  #backOff: number | undefined;
  #ended = false;
  /** Why it could not start, in words of its waiting container. */
  #stuck: Stuck | undefined;

  constructor(pod: PodObject, ips: readonly string[], address: string, deps: RunningPodDeps) {
    this.#pod = pod;
    this.#ips = ips;
    this.#address = address;
    this.#deps = deps;
  }

  /** Whether it waits for a node, or for an object (a ConfigMap, a Secret) that does not exist. */
  get waits(): "node" | "object" | undefined {
    return this.#stuck?.state === "creating" ? "object" : this.#stuck?.state === "pending" ? "node" : undefined;
  }

  get namespace(): string {
    return this.#pod.metadata.namespace ?? "";
  }

  /** What it has logged since its last start, or before that. */
  log(previous: boolean): readonly string[] {
    return previous ? this.#previousLog : this.#log;
  }

  after(milliseconds: number, action: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, milliseconds);
  }

  /** Brings the pod into the state asked for, or as near as it gets, after what is under way. */
  enter(): Promise<void> {
    return this.#enqueue(() => this.#enter());
  }

  /** Ends it for good: SIGTERM, SIGKILL after `grace` milliseconds. */
  async terminate(grace: number): Promise<void> {
    clearTimeout(this.#timer);
    const over = setTimeout(() => this.#graceOver.abort(), grace);
    await this.#enqueue(() => this.#stop());
    clearTimeout(over);
    await this.#removeFiles();
  }

  /** Ends it at once, a termination under way included. */
  async kill(): Promise<void> {
    this.terminating = true;
    clearTimeout(this.#timer);
    this.#graceOver.abort();
    await this.#enqueue(() => this.#stop());
    await this.#removeFiles();
  }

  /** Ends it at once and reports it as failed. */
  async fail(reason: string, why: string): Promise<void> {
    this.#ended = true;
    await this.kill();
    this.terminating = false; // it may still be deleted
    this.#report(endedStatus(this.#pod, "Failed", { ...this.#facts(), exitCode: 137, reason, why }));
  }

  #enqueue(step: () => Promise<void>): Promise<void> {
    return this.#chain = this.#chain.then(step);
  }

  async #enter(): Promise<void> {
    if (this.terminating || this.#ended) return;
    const state = this.asked ?? "ready";
    clearTimeout(this.#timer);
    const unschedulable = state === "pending" ? undefined : this.#deps.schedule(this.#pod);
    this.#stuck = unschedulable === undefined ? undefined : { state: "pending", why: unschedulable };
    if (this.#stuck) return this.#reportState();
    if (state !== "ready" && state !== "not-ready") await this.#stop();
    else if (!this.#run) this.#stuck = await this.#tryToStart();
    if ((this.#stuck?.state ?? state) === "crash-loop") this.#restarts++;
    if ((this.#stuck?.state ?? state) === "image-pull") this.#warnOfImage();
    this.#reportState();
  }

  /** Resolves with what is in the way. */
  async #tryToStart(): Promise<Stuck | undefined> {
    const { containers } = this.#pod.spec;
    if (containers.some(({ image }) => !this.#deps.program(image))) return { state: "image-pull", why: "" };
    try {
      this.#files ??= await PodFiles.create(this.#pod, this.#deps.store);
    } catch (error) {
      this.#deps.warn(this.#pod, "FailedMount", messageOf(error));
      return { state: "creating", why: messageOf(error) };
    }
    try {
      for (const container of containers) this.#environment(container);
    } catch (error) {
      this.#deps.warn(this.#pod, "Failed", `Error: ${messageOf(error)}`);
      return { state: "creating", reason: "CreateContainerConfigError", why: messageOf(error) };
    }
    try {
      await this.#start();
      return undefined;
    } catch (error) {
      this.#write(messageOf(error));
      await this.#stop();
      return { state: "crash-loop", why: messageOf(error) };
    }
  }

  async #start(): Promise<void> {
    const { gate, network, program } = this.#deps;
    const { uid } = this.#pod.metadata;
    const sockets = new PodSockets(network, uid, this.#ips, this.#address);
    const run: Run = {
      end: new AbortController(),
      sockets,
      gate: gate.admit({
        uid,
        namespace: this.namespace,
        ips: this.#ips,
        sockets,
        onListen: () => run.probes.forEach((probe) => probe.soon()),
      }),
      stops: [],
      probes: [],
      unready: 0,
    };
    this.#run = run;
    this.#previousLog = this.#log;
    this.#log = [];
    for (const spec of this.#pod.spec.containers) {
      run.stops.push(await program(spec.image)!(this.#container(spec, run)));
      if (spec.readinessProbe) this.#probe(spec, run);
    }
  }

  async #stop(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    if (!run) return;
    run.end.abort();
    await Promise.all([
      ...run.stops.map((stop) => stop(this.#graceOver.signal)),
      ...run.probes.map((probe) => probe.stop()),
    ]);
    run.gate.end();
    await run.sockets.close();
  }

  async #removeFiles(): Promise<void> {
    const files = this.#files;
    this.#files = undefined;
    await files?.[Symbol.asyncDispose]();
  }

  /** A container has ended by itself. */
  async #exited(run: Run, code: number): Promise<void> {
    if (this.#run !== run || this.terminating) return;
    await this.#stop();
    this.#exitCode = code;
    const tells = this.#pod.spec.containers.some((c) => c.terminationMessagePolicy === "FallbackToLogsOnError");
    this.#lastWords = tells && code !== 0 ? this.#log.slice(-80).map((line) => line + "\n").join("").slice(-2048) : "";
    const policy = this.#pod.spec.restartPolicy ?? "Always";
    if (policy === "Never" || (policy === "OnFailure" && code === 0)) {
      return this.#report(endedStatus(this.#pod, code === 0 ? "Succeeded" : "Failed", this.#facts()));
    }
    this.#restarts++;
    if (this.#backOff === undefined) {
      this.#backOff = 0;
      return this.#enter();
    }
    this.#backOff = Math.min(Math.max(this.#backOff * 2, this.#deps.backOff), longestBackOff);
    this.#stuck = { state: "crash-loop", why: "" };
    this.#reportState();
    for (const { name } of this.#pod.spec.containers) {
      const full = `${this.#pod.metadata.name}_${this.namespace}(${this.#pod.metadata.uid})`;
      this.#deps.warn(this.#pod, "BackOff", `Back-off restarting failed container ${name} in pod ${full}`);
    }
    this.after(this.#backOff, () => this.#deps.work(() => this.enter()));
  }

  #probe(spec: ContainerSpec, run: Run): void {
    run.unready++;
    const { network, warn } = this.#deps;
    run.probes.push(
      new ReadinessProbe(spec.readinessProbe!, {
        ip: this.#ips[0]!,
        port: (port) => {
          return typeof port === "number" ? port : spec.ports?.find(({ name }) => name === port)?.containerPort ?? 0;
        },
        real: (port) => network.at(this.#ips[0]!, port),
        onChange: (ready) => {
          run.unready += ready ? -1 : 1;
          if (this.#run === run) this.#reportState();
        },
        onFailure: (message) => warn(this.#pod, "Unhealthy", message),
      }),
    );
  }

  #warnOfImage(): void {
    const { warn } = this.#deps;
    // The first try, then the wait for the next: a watch sees both.
    this.#report(podStatus(this.#pod, "image-pull", { ...this.#facts(), reason: "ErrImagePull" }));
    for (const { image } of this.#pod.spec.containers) {
      if (this.#deps.program(image)) continue;
      warn(this.#pod, "Failed", `Failed to pull image "${image}": ${pullFailure(image)}`);
      warn(this.#pod, "Failed", "Error: ErrImagePull");
      warn(this.#pod, "BackOff", `Back-off pulling image "${image}"`);
      warn(this.#pod, "Failed", "Error: ImagePullBackOff");
    }
  }

  #reportState(): void {
    const asked = this.asked ?? "ready";
    const state = this.#stuck?.state ?? (asked === "ready" && this.#run?.unready ? "not-ready" : asked);
    this.#report(podStatus(this.#pod, state, this.#facts(state)));
  }

  #report(status: unknown): void {
    this.#deps.report(this.#pod, status);
  }

  #facts(state?: PodState) {
    return {
      ips: state === "pending" || state === "creating" ? [] : this.#ips,
      restarts: this.#restarts,
      why: this.#stuck?.why || this.#lastWords,
      reason: this.#stuck?.reason,
      exitCode: this.#exitCode,
      backOff: this.#backOff,
    };
  }

  #environment(spec: ContainerSpec): Record<string, string> {
    return containerEnvironment(spec, this.#pod, this.#ips[0]!, this.#deps.store);
  }

  #container(spec: ContainerSpec, run: Run): Container {
    const { namespace, name } = { namespace: this.namespace, name: this.#pod.metadata.name };
    return {
      pod: { namespace, name, ip: this.#ips[0]! },
      name: spec.name,
      image: spec.image,
      env: this.#environment(spec),
      command: spec.command ?? [],
      args: spec.args ?? [],
      ports: (spec.ports ?? []).map((p) => ({
        name: p.name ?? "",
        port: p.containerPort,
        protocol: p.protocol ?? "TCP",
      })),
      address: this.#address,
      mounts: this.#files?.mounts(spec) ?? new Map(),
      gate: run.gate,
      listen: (port, onConnection, on) => run.sockets.listen(port, onConnection, on),
      reserve: async (port, on) => (await run.sockets.reserve(port, on)).port,
      dial: (host, port) => this.#deps.inside.dial(host, port, namespace),
      exited: (code) => this.#deps.work(() => this.#enqueue(() => this.#exited(run, code))),
      log: (line) => this.#write(line),
      signal: run.end.signal,
    };
  }

  #write(line: string): void {
    this.#log.push(line);
    if (this.#log.length > longestLog) this.#log.splice(0, longestLog / 10);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
