import type { Duplex } from "../stream/duplex.ts";
import { type ListenOptions, listenTcp } from "../stream/listen_tcp.ts";
import { relay, type RelayCount } from "../stream/relay.ts";
import { DialError } from "../tunnel/dialer.ts";

/** What a local port does with its connections. */
export interface LocalPortDeps {
  /** Opens the other end; `client` tells the caller's address, for session affinity. */
  dial(client: string, signal: AbortSignal): Promise<Duplex>;
  /** Told of each connection that could not be had, or that broke while the caller was still there. */
  onFailure(error: Error): void;
}

/** A port of this machine that leads elsewhere. */
export interface LocalPort {
  readonly host: string;
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /** Bytes from here (`sent`) and to here, of all connections so far. */
  readonly traffic: Readonly<RelayCount>;
  /** Stops listening and cuts all connections. */
  close(): Promise<void>;
}

/**
 * Listens, and carries each connection to what `dial` opens for it. One that cannot be had is reset, not closed, so that no program takes it for an
 * empty answer. Rejects with the system's error where the port cannot be had.
 */
export async function openLocalPort(where: ListenOptions, deps: LocalPortDeps): Promise<LocalPort> {
  const closing = new AbortController();
  const traffic: RelayCount = { sent: 0, received: 0 };
  const open = new Set<Promise<void>>();
  const listener = await listenTcp(where, (client) => {
    const served: Promise<void> = carry(client, client.remote, traffic, deps, closing.signal).finally(() =>
      open.delete(served)
    );
    open.add(served);
  });
  return {
    host: listener.host,
    port: listener.port,
    get connections() {
      return open.size;
    },
    traffic,
    async close() {
      closing.abort();
      await Promise.all([listener.close(), ...open]);
    },
  };
}

async function carry(
  client: Duplex,
  from: string,
  traffic: RelayCount,
  deps: LocalPortDeps,
  signal: AbortSignal,
): Promise<void> {
  const streams: Duplex[] = [client];
  const cut = () => streams.forEach((stream) => stream.reset());
  signal.addEventListener("abort", cut, { once: true });
  try {
    const remote = await deps.dial(from, signal);
    streams.push(remote);
    if (signal.aborted) return cut();
    const caller = new Caller(client);
    const error = await relay(caller, remote, traffic);
    // Database clients hang up on servers that still speak (TLS says good-bye): nobody misses what is reset then.
    if (error && !signal.aborted && (!caller.gone || error instanceof DialError)) deps.onFailure(error);
  } catch (error) {
    cut();
    if (!signal.aborted) deps.onFailure(error instanceof Error ? error : new Error(String(error)));
  } finally {
    signal.removeEventListener("abort", cut);
  }
}

/** A program's connection to us, that knows whether the program has hung up before we cut it off. */
class Caller implements Duplex {
  gone = false;
  readonly #stream: Duplex;
  #cut = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  async read(into: Uint8Array): Promise<number | null> {
    const count = await this.#noticing(this.#stream.read(into));
    if (count === null) this.gone ||= !this.#cut;
    return count;
  }

  write(data: Uint8Array): Promise<void> {
    return this.#noticing(this.#stream.write(data));
  }

  closeWrite(): Promise<void> {
    return this.#stream.closeWrite();
  }

  reset(): void {
    this.#cut = true;
    this.#stream.reset();
  }

  close(): void {
    this.#stream.close();
  }

  async #noticing<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.gone ||= !this.#cut;
      throw error;
    }
  }
}
