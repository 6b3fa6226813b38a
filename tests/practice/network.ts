import type { ListenOn } from "./program.ts";

/** A real socket on this machine. */
export interface RealAddress {
  readonly hostname: string;
  readonly port: number;
}

interface Binding {
  readonly pod: string;
  readonly ips: readonly string[];
  readonly port: number;
  readonly on: ListenOn;
  readonly real: RealAddress;
}

/** Which real socket stands for which port of which pod. */
export class Network {
  readonly #bindings = new Set<Binding>();

  /** Notes that a pod listens; `pod` is its uid. Returns what takes it back. */
  bind(binding: Binding): () => void {
    this.#bindings.add(binding);
    return () => this.#bindings.delete(binding);
  }

  /** What `localhost:port` is inside a pod. */
  localhost(pod: string, port: number): RealAddress | undefined {
    for (const b of this.#bindings) if (b.pod === pod && b.port === port && b.on !== "pod") return b.real;
    return undefined;
  }

  /** What an address of the cluster is. */
  at(ip: string, port: number): RealAddress | undefined {
    for (const b of this.#bindings) if (b.ips.includes(ip) && b.port === port && b.on !== "localhost") return b.real;
    return undefined;
  }
}
