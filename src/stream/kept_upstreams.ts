import type { Clock } from "../platform/clock.ts";
import { BufferedReader } from "./buffered_reader.ts";
import type { Duplex } from "./duplex.ts";
import { PeekableStream } from "./peekable_stream.ts";

/** A connection to a destination that speaks HTTP/1. */
export class Upstream {
  readonly stream: PeekableStream;
  readonly reader: BufferedReader;

  constructor(stream: Duplex) {
    this.stream = new PeekableStream(stream);
    this.reader = new BufferedReader(this.stream, 65536);
  }
}

/** How many, and for how many milliseconds unused: enough for a page with its resources, less than what servers mostly allow. */
const limit = 8;
const idle = 15_000;

/**
 * The connections that one client connection keeps for its next requests, one per destination. They are never shared among clients: a
 * service may have tied the connection to who is behind it (NTLM).
 */
export class KeptUpstreams {
  readonly #clock: Clock;
  readonly #kept = new Map<string, { upstream: Upstream; since: number; cancel: () => void }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Gives out the connection kept for a destination, if it still stands; one that was unused for longer than `ms` is dropped. */
  take(key: string, ms: number = Infinity): Upstream | undefined {
    const kept = this.#kept.get(key);
    if (!kept) return undefined;
    kept.cancel();
    this.#kept.delete(key);
    if (this.#clock.now() - kept.since <= ms) return kept.upstream;
    kept.upstream.stream.close();
    return undefined;
  }

  /** Keeps a connection on which a request has been answered in full. It is dropped once the other end closes it or says anything unasked. */
  put(key: string, upstream: Upstream): void {
    this.#drop(key);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= limit && oldest !== undefined) this.#drop(oldest);
    const cancel = this.#clock.after(idle, () => this.#drop(key));
    this.#kept.set(key, { upstream, since: this.#clock.now(), cancel });
    const drop = () => {
      if (this.#kept.get(key)?.upstream === upstream) this.#drop(key);
    };
    upstream.stream.peek().then(drop, drop);
  }

  /** Closes them all. */
  close(): void {
    for (const key of [...this.#kept.keys()]) this.#drop(key);
  }

  #drop(key: string): void {
    this.take(key)?.stream.close();
  }
}
