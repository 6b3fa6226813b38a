import type { Duplex } from "../../src/stream/duplex.ts";

/** One direction between two ends: holds at most `capacity` bytes, as a socket's buffers do. */
class Pipe {
  readonly #capacity: number;
  #bytes = new Uint8Array(0);
  #ended = false;
  #error: Error | undefined;
  #wake: Array<() => void> = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#bytes.length;
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#bytes.length === 0 && !this.#ended && !this.#error) await this.#changed();
    if (this.#error) throw this.#error;
    if (this.#bytes.length === 0) return null;
    const count = Math.min(into.length, this.#bytes.length);
    into.set(this.#bytes.subarray(0, count));
    this.#bytes = this.#bytes.slice(count);
    this.#notify();
    return count;
  }

  async write(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length;) {
      if (this.#error) throw this.#error;
      if (this.#ended) throw new Error("write after end");
      const room = this.#capacity - this.#bytes.length;
      if (room <= 0) {
        await this.#changed();
        continue;
      }
      const piece = data.subarray(at, at + room);
      const grown = new Uint8Array(this.#bytes.length + piece.length);
      grown.set(this.#bytes);
      grown.set(piece, this.#bytes.length);
      this.#bytes = grown;
      at += piece.length;
      this.#notify();
    }
    if (this.#error) throw this.#error;
  }

  end(): void {
    this.#ended = true;
    this.#notify();
  }

  fail(error: Error): void {
    this.#error ??= error;
    this.#notify();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** An end of a connection in memory. */
export class MemoryDuplex implements Duplex {
  readonly #incoming: Pipe;
  readonly #outgoing: Pipe;
  /** True once this end was given up, in good order or not. */
  closed = false;
  wasReset = false;

  constructor(incoming: Pipe, outgoing: Pipe) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  /** Bytes written here that the other end has not read. */
  get unread(): number {
    return this.#outgoing.size;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#incoming.read(into);
  }

  write(data: Uint8Array): Promise<void> {
    return this.#outgoing.write(data);
  }

  closeWrite(): Promise<void> {
    this.#outgoing.end();
    return Promise.resolve();
  }

  reset(): void {
    if (this.closed) return;
    this.closed = this.wasReset = true;
    this.#outgoing.fail(Object.assign(new Error("reset by the other end"), { code: "ECONNRESET" }));
    this.#incoming.fail(new Error("closed here"));
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#outgoing.end();
    this.#incoming.fail(new Error("closed here"));
  }
}

/** Two ends of a connection in memory; each direction holds `capacity` bytes. */
export function duplexPair(capacity: number = 65536): [MemoryDuplex, MemoryDuplex] {
  const there = new Pipe(capacity), back = new Pipe(capacity);
  return [new MemoryDuplex(back, there), new MemoryDuplex(there, back)];
}
