import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { ProxiedScheme } from "../platform/proxy_settings.ts";
import { bufferedDuplex } from "../stream/buffered_duplex.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import type { Duplex } from "../stream/duplex.ts";
import { PeekableStream } from "../stream/peekable_stream.ts";
import { relay, type RelayCount } from "../stream/relay.ts";
import { DialError, type Target } from "../tunnel/dialer.ts";
import type { ControlPage } from "./control_pages.ts";
import { isLoopback } from "./local_host.ts";
import type { Route } from "./route.ts";
import type { Router } from "./routing.ts";
import type { Credentials } from "./socks.ts";

/** How long the front door waits for its clients, in milliseconds. */
export interface Patience {
  /** For a client to say what it wants: its handshake, the head of its request. */
  readonly handshake: number;
  /** For the next request on a kept-alive HTTP connection. */
  readonly idle: number;
}

/** What all connections of one front door share. */
export interface FrontDoor {
  readonly port: number;
  readonly credentials: Credentials | undefined;
  readonly router: Pick<Router, "route">;
  readonly pages: Readonly<Record<string, ControlPage>>;
  readonly token: string;
  readonly patience: Patience;
  readonly clock: Clock;
  readonly log: Log;
  /** Bytes of all connections, from clients (`sent`) and to them. */
  readonly traffic: RelayCount;
}

/** Milliseconds that work for a client goes on after it has ended its direction. */
const afterEnd = 10_000;

/** One client's connection, whatever it speaks. */
export class Connection {
  readonly client: PeekableStream;
  readonly reader: BufferedReader;
  readonly door: FrontDoor;
  readonly #abort = new AbortController();
  readonly #from: string;
  #cancel: (() => void) | undefined;

  constructor(stream: Duplex & { readonly remote: string }, door: FrontDoor) {
    this.client = new PeekableStream(stream);
    this.reader = new BufferedReader(this.client, 65536);
    this.door = door;
    this.#from = stream.remote.replace(/:\d+$/, "");
  }

  /** Aborted when the connection is to end. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Ends everything that belongs to the connection. */
  end(): void {
    this.settle();
    this.#abort.abort(new DialError("unreachable", "hawser is shutting down"));
    this.client.close();
  }

  /** Closes the connection in `ms` milliseconds, unless `settle` or another `expire` comes first. */
  expire(ms: number, why: string): void {
    this.settle();
    this.#cancel = this.door.clock.after(ms, () => {
      this.door.log.debug(`Closing a client's connection: ${why}`);
      this.client.close();
    });
  }

  /** Takes back the last `expire`. */
  settle(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /**
   * Calls `action` when the client is gone: at once when its connection breaks, {@linkcode afterEnd} ms after it has ended its direction, because
   * that may be a half-close. Returns the function that ends the watch. Not to be called while something reads from the client.
   */
  whenGone(action: () => void): () => void {
    if (this.reader.buffered.length > 0) return () => {};
    let stop = () => {};
    let watching = true;
    this.client.peek().then((more) => {
      if (!more && watching) stop = this.door.clock.after(afterEnd, action);
    }, () => watching && action());
    return () => {
      watching = false;
      stop();
    };
  }

  /** The way to a destination; never to ourselves. Rejects with a {@linkcode DialError}. */
  async route(target: Target, scheme: ProxiedScheme): Promise<Route> {
    if (target.port === this.door.port && isLoopback(target.host)) {
      throw new DialError(
        "forbidden",
        `"${target.host}:${target.port}" is hawser's own port, which it does not connect to itself`,
      );
    }
    try {
      return await this.door.router.route(target, scheme, this.signal);
    } catch (error) {
      throw this.#explain(error, target);
    }
  }

  /** Goes a route, but gives up when the client is gone. Rejects with a {@linkcode DialError}. */
  async dial(route: Route, target: Target, early: boolean): Promise<Duplex> {
    const gone = new AbortController();
    const stopWatching = this.whenGone(() => gone.abort(new DialError("unreachable", "The client went away")));
    const signal = AbortSignal.any([this.signal, gone.signal]);
    try {
      const stream = await route.dial({ signal, early, client: this.#from });
      if (!signal.aborted) return stream;
      stream.reset();
      throw signal.reason;
    } catch (error) {
      throw this.#explain(error, target);
    } finally {
      stopWatching();
    }
  }

  /** Carries bytes between the client and `upstream` until both are done. */
  async tunnel(upstream: Duplex): Promise<void> {
    const client = bufferedDuplex(this.client, this.reader);
    const end = () => {
      client.close();
      upstream.close();
    };
    if (this.signal.aborted) return end();
    this.signal.addEventListener("abort", end, { once: true });
    await relay(client, upstream, this.door.traffic);
    this.signal.removeEventListener("abort", end);
  }

  /**
   * Ends a connection whose last words have just been written. What the client still sends is read and dropped for a while (by whoever
   * reads now until `reading` settles), because closing a socket with unread bytes in it makes the system send a reset, which
   * would take those last words away from the client.
   */
  async linger(reading?: Promise<unknown>): Promise<void> {
    this.expire(2000, "it goes on sending after its last answer");
    try {
      await this.client.closeWrite();
      await reading;
      await this.#drain();
    } catch {
      // Gone already, which is what was wanted.
    } finally {
      this.settle();
      this.client.close();
    }
  }

  async #drain(): Promise<void> {
    const waste = new Uint8Array(16384);
    while (await this.reader.read(waste) !== null);
  }

  #explain(error: unknown, target: Target): DialError {
    const known = error instanceof DialError ? error : new DialError(
      "unreachable",
      `"${target.host}:${target.port}" cannot be reached: ${error instanceof Error ? error.message : error}`,
      {
        cause: error,
      },
    );
    this.door.log.debug(known.message);
    return known;
  }
}
