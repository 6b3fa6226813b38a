/** Small pieces share memory of this size: a chunk of its own costs hundreds of bytes however little is in it. */
const sharedSize = 4096;

/**
 * Bytes that have arrived and wait to be read: the reading half of a {@linkcode Duplex} whose source pushes. It knows no limit; whoever pushes
 * looks at `size` and stops the source.
 */
export class ByteQueue {
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  /** Bytes of memory behind the last chunk that are free to be filled. */
  #free = 0;
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

  /** Hands bytes to the read that waits, and keeps the rest: as a copy where `reused` says that the chunk's memory is not ours to keep. */
  push(chunk: Uint8Array, reused: boolean = false): void {
    if (this.#end || chunk.length === 0) return;
    const reader = this.#reader;
    if (reader) {
      this.#reader = undefined;
      const count = Math.min(chunk.length, reader.into.length);
      reader.into.set(chunk.subarray(0, count));
      reader.resolve(count);
      if (count === chunk.length) return;
      chunk = chunk.subarray(count);
    }
    if (reused) this.#keep(chunk);
    else this.#append(chunk, 0);
    this.#size += chunk.length;
  }

  #keep(chunk: Uint8Array): void {
    const last = this.#chunks.at(-1);
    if (last && chunk.length <= this.#free) {
      const longer = new Uint8Array(last.buffer, last.byteOffset, last.length + chunk.length);
      longer.set(chunk, last.length);
      this.#chunks[this.#chunks.length - 1] = longer;
      this.#free -= chunk.length;
    } else if (chunk.length >= sharedSize) {
      this.#append(chunk.slice(), 0);
    } else {
      const shared = new Uint8Array(sharedSize);
      shared.set(chunk);
      this.#append(shared.subarray(0, chunk.length), sharedSize - chunk.length);
    }
  }

  #append(chunk: Uint8Array, free: number): void {
    this.#chunks.push(chunk);
    this.#free = free;
  }

  /** As `Duplex.read`. */
  read(into: Uint8Array): Promise<number | null> {
    const chunk = this.#chunks[0];
    if (chunk) {
      const count = Math.min(chunk.length, into.length);
      into.set(chunk.subarray(0, count));
      if (count < chunk.length) this.#chunks[0] = chunk.subarray(count);
      else this.#chunks.shift();
      this.#size -= count;
      return Promise.resolve(count);
    }
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
    this.#chunks.length = 0;
    this.#size = 0;
  }
}
