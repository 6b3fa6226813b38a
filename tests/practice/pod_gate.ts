import { isIP } from "node:net";
import type { Inside } from "./inside.ts";
import type { Network, RealAddress } from "./network.ts";
import type { PodSockets } from "./pod_sockets.ts";
import type { ListenOn } from "./program.ts";

/** A pod whose process may ask. */
export interface PodAtGate {
  readonly uid: string;
  readonly namespace: string;
  /** The pod's addresses as the cluster shows them. */
  readonly ips: readonly string[];
  readonly sockets: PodSockets;
  /** Called when the process is about to listen. */
  readonly onListen: () => void;
}

interface Question {
  readonly id: number;
  readonly ask: "route" | "listen" | "lookup";
  readonly host?: string;
  readonly port: number;
}

/**
 * Where processes in pods ask (`pod_network.cjs`) which real sockets the addresses of their network are: one connection each, lines of
 * JSON. A ClusterIP is balanced by the answer, so that a connection stays with its pod whatever becomes of the Service, as with kube-proxy.
 */
export class PodGate {
  readonly #inside: Inside;
  readonly #network: Network;
  readonly #listener: Deno.TcpListener;
  readonly #pods = new Map<string, PodAtGate>();
  readonly #processes = new Map<PodAtGate, Deno.TcpConn>();
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #serving: Promise<void>;

  constructor(inside: Inside, network: Network) {
    this.#inside = inside;
    this.#network = network;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#serving = this.#accept();
  }

  /** Lets a pod's process in, until `end`. See `Container.gate` for the rest. */
  admit(pod: PodAtGate): { readonly variable: string; terminate(): void; end(): void } {
    const token = crypto.randomUUID();
    this.#pods.set(token, pod);
    return {
      variable: `${this.#listener.addr.port} ${token}`,
      terminate: () => void this.#processes.get(pod)?.write(new TextEncoder().encode("terminate\n")).catch(() => {}),
      end: () => {
        this.#pods.delete(token);
        this.#processes.delete(pod);
      },
    };
  }

  async stop(): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    await this.#serving;
  }

  async #accept(): Promise<void> {
    const served: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      this.#connections.add(connection);
      served.push(this.#serve(connection).finally(() => this.#close(connection)));
    }
    await Promise.all(served);
  }

  #close(connection: Deno.TcpConn): void {
    this.#connections.delete(connection);
    try {
      connection.close();
    } catch {
      // It was closed by stop.
    }
  }

  /** Never rejects: the process may end at any time. */
  async #serve(connection: Deno.TcpConn): Promise<void> {
    connection.setNoDelay(true);
    const answer = async (pod: PodAtGate, line: string) => {
      const question = JSON.parse(line) as Question; // our own preload's
      const text = JSON.stringify({ id: question.id, ...await this.#answer(pod, question) }) + "\n";
      await connection.write(new TextEncoder().encode(text)).catch(() => {}); // it has ended
    };
    const answers: Promise<void>[] = [];
    let pod: PodAtGate | undefined;
    let rest = "";
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(4096);
    try {
      for (let count; (count = await connection.read(buffer)) !== null;) {
        const lines = (rest + decoder.decode(buffer.subarray(0, count), { stream: true })).split("\n");
        rest = lines.pop()!;
        for (const line of lines) {
          if (pod) answers.push(answer(pod, line));
          else pod = this.#pods.get(line);
          if (!pod) return;
          this.#processes.set(pod, connection);
        }
      }
    } catch {
      // Reset, or closed by stop.
    }
    await Promise.all(answers);
  }

  async #answer(pod: PodAtGate, { ask, host, port }: Question): Promise<Record<string, unknown>> {
    try {
      switch (ask) {
        case "listen": {
          const real = await pod.sockets.reserve(port, listenOn(host, pod.ips));
          pod.onListen();
          return { host: real.hostname, port: real.port };
        }
        case "lookup":
          return { addresses: isLocal(host!) ? ["127.0.0.1"] : this.#inside.lookup(host!, pod.namespace) };
        case "route": {
          const real = this.#route(pod, host!, port);
          return { host: real.hostname, port: real.port };
        }
      }
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return { code: "ENOTFOUND", syscall: "getaddrinfo" };
      if (error instanceof Deno.errors.ConnectionRefused) return { code: "ECONNREFUSED", syscall: "connect" };
      return { code: "EACCES", syscall: ask };
    }
  }

  #route(pod: PodAtGate, host: string, port: number): RealAddress {
    if (!isLocal(host)) return this.#inside.route(host, port, pod.namespace);
    const real = this.#network.localhost(pod.uid, port);
    if (!real) throw new Deno.errors.ConnectionRefused();
    return real;
  }
}

function isLocal(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function listenOn(host: string | undefined, ips: readonly string[]): ListenOn {
  if (host && isLocal(host)) return "localhost";
  return host && ips.includes(host) ? "pod" : "all";
}
