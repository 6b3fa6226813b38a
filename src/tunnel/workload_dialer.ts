import type { Api } from "../cluster/api.ts";
import type { Pod } from "../cluster/directory.ts";
import { findWorkload, type Workload, type WorkloadName } from "../cluster/workload.ts";
import type { Clock } from "../platform/clock.ts";
import type { Duplex } from "../stream/duplex.ts";
import type { ClusterDialer } from "./cluster_dialer.ts";
import type { PodPort } from "./pod_port.ts";
import { DialError, type DialOptions } from "./dialer.ts";

/** What a workload dialer works with. */
export interface WorkloadDialerDeps {
  readonly api: Api;
  readonly dialer: Pick<ClusterDialer, "dialPods">;
  readonly clock: Clock;
}

/** A look at a workload holds this long, in milliseconds. */
const fresh = 2_000;

/** Dials the pods of one workload, whichever they are at the time. */
export class WorkloadDialer {
  readonly #name: WorkloadName;
  readonly #namespace: string;
  readonly #deps: WorkloadDialerDeps;
  #seen: { readonly at: number; readonly workload: Promise<Workload> } | undefined;

  constructor(name: WorkloadName, namespace: string, deps: WorkloadDialerDeps) {
    this.#name = name;
    this.#namespace = namespace;
    this.#deps = deps;
  }

  /** The workload as it was seen at most a few seconds ago. Rejects as `findWorkload` does. */
  async workload(signal: AbortSignal): Promise<Workload> {
    const now = this.#deps.clock.now();
    if (!this.#seen || now - this.#seen.at > fresh) {
      const workload = findWorkload(this.#deps.api, this.#name, this.#namespace, signal);
      const seen = this.#seen = { at: now, workload };
      workload.catch(() => {
        if (this.#seen === seen) this.#seen = undefined;
      });
    }
    return await this.#seen.workload;
  }

  /**
   * Dials a port, given by number or by the name it has in the pod, of the first pod that can be had, ready ones before others; looks anew when none of
   * those seen before can. Rejects with a {@linkcode DialError}, or as `findWorkload` does.
   */
  async dial(port: number | string, options: DialOptions): Promise<Duplex> {
    const lookAnew = () => {
      this.#seen = undefined; // what we knew may be old: pods are replaced
      return this.#candidates(port, options.signal);
    };
    const known = await this.#candidates(port, options.signal);
    const candidates = known.length > 0 ? known : await lookAnew();
    if (candidates.length === 0) throw this.#noPod((await this.workload(options.signal)).pods);
    const { kind, name } = this.#name;
    return await this.#deps.dialer.dialPods(candidates, `${kind}/${name}`, options, lookAnew);
  }

  async #candidates(port: number | string, signal: AbortSignal): Promise<readonly PodPort[]> {
    const { pods } = await this.workload(signal);
    const usable = pods.filter(({ phase, terminating }) => phase === "Running" && !terminating);
    const ordered = [...usable.filter(({ ready }) => ready), ...usable.filter(({ ready }) => !ready)];
    return ordered.map((pod) => ({ pod, port: containerPort(pod, port), addresses: pod.ips }));
  }

  #noPod(pods: readonly Pod[]): DialError {
    const states = pods.slice(0, 3).map(({ name, reason, terminating, phase }) =>
      `${name} (${terminating ? "terminating" : reason || phase})`
    );
    const { kind, name } = this.#name;
    const detail = states.length > 0 ? `: ${states.join(", ")}` : "";
    return new DialError("not-ready", `No pod of ${kind} "${name}" in namespace "${this.#namespace}" runs${detail}`);
  }
}

/** The number of a port of a pod. Throws a {@linkcode DialError} for a name that its containers do not declare. */
export function containerPort(pod: Pod, port: number | string): number {
  if (typeof port === "number") return port;
  const found = pod.ports.find(({ name, protocol }) => name === port && protocol === "TCP");
  if (found) return found.port;
  const names = pod.ports.flatMap(({ name }) => name || []);
  const known = names.length > 0 ? `; its ports: ${names.join(", ")}` : "; its containers name none, so give a number";
  throw new DialError(
    "unknown",
    `Pod "${pod.name}" in namespace "${pod.namespace}" has no port named "${port}"${known}`,
  );
}
