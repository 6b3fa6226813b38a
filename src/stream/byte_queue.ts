import { giveBuffer, takeBuffer } from "./buffer_pool.ts";

/** A queue that has ever held something keeps so much memory; what is larger is given back as soon as it is empty. */
const smallest = 4096;

const none = new Uint8Array(0);

/**
 * Bytes that have arrived and wait to be read: the reading half of a {@linkcode Duplex} whose source pushes. What waits is copied into a ring, so
 * that many small pieces cost no more than a large one. It knows no limit; whoever pushes looks at `size` and stops the source.
 */
export class ByteQueue {
  #ring: Uint8Array = none;
  #start = 0;
  #size = 0;
  #reader: { into: Uint8Array; resolve: (count: number | null) => void; reject: (error: Error) => void } | undefined;
  #end: { error: Error | undefined } | undefined;

  /** Bytes that wait. */
  get size(): number {
    return this.#size;
  }

  /** True where a read waits for bytes. */
  get wanted(): boolean {
    return this.#reader !== undefined;
  }

  /** Hands bytes to the read that waits, and keeps a copy of the rest. */
  push(chunk: Uint8Array): void {
    if (this.#end) return;
    const reader = this.#reader;
    if (reader && chunk.length > 0) {
      this.#reader = undefined;
      const count = Math.min(chunk.length, reader.into.length);
      reader.into.set(chunk.subarray(0, count));
      reader.resolve(count);
      chunk = chunk.subarray(count);
    }
    if (chunk.length > 0) this.#append(chunk);
  }

  /** As `Duplex.read`. */
  read(into: Uint8Array): Promise<number | null> {
    if (this.#size > 0) return Promise.resolve(this.#shift(into));
    if (this.#end) return this.#end.error ? Promise.reject(this.#end.error) : Promise.resolve(null);
    return new Promise((resolve, reject) => this.#reader = { into, resolve, reject });
  }

  /** Nothing more will come: reads get what waits, then the end, or the error. The first call counts. */
  end(error?: Error): void {
    if (this.#end) return;
    this.#end = { error };
    const reader = this.#reader;
    this.#reader = undefined;
    if (error) reader?.reject(error);
    else reader?.resolve(null);
  }

  /** Drops what waits. */
  clear(): void {
    this.#size = 0;
    this.#emptied();
  }

  #append(chunk: Uint8Array): void {
    const needed = this.#size + chunk.length;
    if (needed > this.#ring.length) {
      let length = Math.max(smallest, this.#ring.length * 2);
      while (length < needed) length *= 2;
      const ring = takeBuffer(length);
      this.#copy(ring, this.#size);
      giveBuffer(this.#ring);
      this.#ring = ring;
      this.#start = 0;
    }
    const end = (this.#start + this.#size) % this.#ring.length;
    const first = Math.min(chunk.length, this.#ring.length - end);
    this.#ring.set(chunk.subarray(0, first), end);
    this.#ring.set(chunk.subarray(first), 0);
    this.#size = needed;
  }

  #shift(into: Uint8Array): number {
    const count = Math.min(this.#size, into.length);
    this.#copy(into, count);
    this.#start = (this.#start + count) % this.#ring.length;
    this.#size -= count;
    if (this.#size === 0) this.#emptied();
    return count;
  }

  /** Copies the first `count` bytes that wait. */
  #copy(into: Uint8Array, count: number): void {
    const first = Math.min(count, this.#ring.length - this.#start);
    into.set(this.#ring.subarray(this.#start, this.#start + first));
    into.set(this.#ring.subarray(0, count - first), first);
  }

  #emptied(): void {
    this.#start = 0;
    if (this.#ring.length <= smallest) return;
    giveBuffer(this.#ring);
    this.#ring = none;
  }
}
