import type { SocketAddress } from "../../cluster/parse_proc_net_tcp.ts";
import type { Duplex } from "../../stream/duplex.ts";
import { listenTcp, type TcpListener } from "../../stream/listen_tcp.ts";

/** A port of a program inside, and where it is on the host's loopback. */
export interface PublishedPort {
  readonly inside: SocketAddress;
  readonly port: number;
}

/** What publishing needs. */
export interface PublishedPortsDeps {
  /** Takes each connection to a published port. */
  carry(stream: Duplex, inside: SocketAddress): void;
  /** Told once for each new port. */
  onPublished(published: readonly PublishedPort[]): void;
  readonly listen?: typeof listenTcp;
}

/** Ports of isolated programs on the host's loopback, under the same numbers where these are free. */
export class PublishedPorts {
  readonly #deps: PublishedPortsDeps;
  readonly #listeners = new Map<number, TcpListener>();
  #changing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(deps: PublishedPortsDeps) {
    this.#deps = deps;
  }

  /** Ports of the host's loopback that are ours. */
  get ports(): readonly number[] {
    return [...this.#listeners.values()].map(({ port }) => port);
  }

  /** Publishes what listens inside now, and no more what does not. */
  set(listening: readonly SocketAddress[]): Promise<void> {
    return this.#changing = this.#changing.then(() => this.#set(listening));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.set([]);
  }

  async #set(listening: readonly SocketAddress[]): Promise<void> {
    const wanted = new Map(listening.toReversed().map((each) => [each.port, loopbackOf(each)]));
    for (const [port, listener] of this.#listeners) {
      if (wanted.has(port) && !this.#closed) continue;
      this.#listeners.delete(port);
      await listener.close();
    }
    if (this.#closed) return;
    const published: PublishedPort[] = [];
    for (const [port, inside] of wanted) {
      if (this.#listeners.has(port)) continue;
      const listener = await this.#listen(inside);
      if (!listener) continue;
      this.#listeners.set(port, listener);
      published.push({ inside, port: listener.port });
    }
    if (published.length > 0) this.#deps.onPublished(published);
  }

  /** On the same port; on any where that is another's, or the system's to give. */
  async #listen(inside: SocketAddress): Promise<TcpListener | undefined> {
    const { listen = listenTcp, carry } = this.#deps;
    for (const port of [inside.port, 0]) {
      try {
        return await listen({ host: "127.0.0.1", port }, (stream) => carry(stream, inside));
      } catch {
        // the next one
      }
    }
  }
}

/** Where a program is found that listens on all addresses. */
function loopbackOf({ address, port }: SocketAddress): SocketAddress {
  return { port, address: address === "0.0.0.0" || address === "::" ? "127.0.0.1" : address };
}
