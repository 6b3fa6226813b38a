import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { bufferedDuplex } from "./buffered_duplex.ts";
import { BufferedReader } from "./buffered_reader.ts";
import type { Duplex } from "./duplex.ts";
import { PeekableStream } from "./peekable_stream.ts";
import { relay, type RelayCount } from "./relay.ts";

/** What client connections of one server share. */
export interface ClientConnectionDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Bytes of all connections, from clients (`sent`) and to them. */
  readonly traffic: RelayCount;
}

/** Milliseconds that work for a client goes on after it has ended its direction. */
const afterEnd = 10_000;

/** One client's connection, whatever it speaks. */
export class ClientConnection {
  readonly client: PeekableStream;
  readonly reader: BufferedReader;
  readonly clock: Clock;
  readonly traffic: RelayCount;
  /** Answers are to say that the connection ends with them. */
  closing = false;
  readonly #log: Log;
  readonly #abort = new AbortController();
  #cancel: (() => void) | undefined;

  constructor(stream: Duplex, deps: ClientConnectionDeps) {
    this.client = new PeekableStream(stream);
    this.reader = new BufferedReader(this.client, 65536);
    this.clock = deps.clock;
    this.traffic = deps.traffic;
    this.#log = deps.log;
  }

  /** Aborted when the connection is to end. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Ends everything that belongs to the connection; `reason` is what `signal` gives. */
  end(reason: Error): void {
    this.settle();
    this.#abort.abort(reason);
    this.client.close();
  }

  /** Closes the connection in `ms` milliseconds, unless `settle` or another `expire` comes first. */
  expire(ms: number, why: string): void {
    this.settle();
    this.#cancel = this.clock.after(ms, () => {
      this.#log.debug(`Closing a client's connection: ${why}`);
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
      if (!more && watching) stop = this.clock.after(afterEnd, action);
    }, () => watching && action());
    return () => {
      watching = false;
      stop();
    };
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
    await relay(client, upstream, this.traffic);
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
}
