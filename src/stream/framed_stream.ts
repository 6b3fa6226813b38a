import type { Duplex } from "./duplex.ts";

/** Bytes of one frame at the most; its length stands before it in four bytes. */
const largest = 262144;
/** Bytes of its length. */
const headSize = 4;
/** Bytes of a buffer into which several frames are read at once. */
const large = 65536;

/**
 * A byte stream over a carrier that cannot say whether its end is a good one, as unix sockets cannot: there is no such thing as a
 * reset among them. Bytes go in frames, each behind its length (32 bits, big-endian); an empty frame is the end of a direction, and a carrier
 * that ends without it was reset. Both ends must be wrapped.
 */
export class FramedStream implements Duplex {
  readonly #carrier: Duplex;
  /** The length before a frame, as far as it has come. */
  readonly #head = new Uint8Array(headSize);
  #headRead = 0;
  /** Bytes of the frame being read that are still to come. */
  #left = 0;
  #ended = false;
  #closed = false;
  #endSent = false;
  #writing = false;
  #frame = new Uint8Array(0);

  constructor(carrier: Duplex) {
    this.#carrier = carrier;
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (into.length === 0) return 0;
    try {
      while (!this.#ended && !this.#closed) {
        // A length within would keep a reader with a small buffer from seeing that more would come; a large one takes several frames at once.
        const room = into.length < large ? into.subarray(0, this.#left + headSize - this.#headRead) : into;
        const count = await this.#carrier.read(room);
        if (count === null) throw reset();
        const bytes = this.#unframe(into.subarray(0, count));
        if (bytes > 0) return bytes;
      }
      return null;
    } catch (error) {
      if (this.#closed) return null;
      throw error;
    }
  }

  async write(data: Uint8Array): Promise<void> {
    this.#writing = true;
    try {
      for (let at = 0; at < data.length; at += largest) await this.#send(data.subarray(at, at + largest));
    } finally {
      this.#writing = false;
    }
  }

  async closeWrite(): Promise<void> {
    if (this.#endSent) return;
    this.#endSent = true;
    await this.#send(new Uint8Array(0));
  }

  reset(): void {
    this.#closed = true;
    this.#carrier.reset();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // In the middle of a write there is no good end any more.
    if (this.#writing) return this.#carrier.close();
    this.closeWrite().catch(() => {}).finally(() => this.#carrier.close());
  }

  /** Moves the bytes of all frames to the front, over the lengths between them; returns how many they are. */
  #unframe(data: Uint8Array): number {
    let bytes = 0;
    for (let at = 0; at < data.length && !this.#ended;) {
      if (this.#left === 0) {
        const part = data.subarray(at, at + headSize - this.#headRead);
        this.#head.set(part, this.#headRead);
        this.#headRead += part.length;
        at += part.length;
        if (this.#headRead === headSize) this.#begin(new DataView(this.#head.buffer).getUint32(0));
      } else {
        const count = Math.min(this.#left, data.length - at);
        data.copyWithin(bytes, at, at + count);
        this.#left -= count;
        at += count;
        bytes += count;
      }
    }
    return bytes;
  }

  #begin(length: number): void {
    if (length > largest) throw new RangeError(`A frame of ${length} bytes is longer than any`);
    this.#headRead = 0;
    this.#left = length;
    this.#ended = length === 0;
  }

  /** Length and bytes in one write: what is copied here saves a system call there. */
  async #send(data: Uint8Array): Promise<void> {
    const size = headSize + data.length;
    if (this.#frame.length < size) this.#frame = new Uint8Array(size);
    new DataView(this.#frame.buffer).setUint32(0, data.length);
    this.#frame.set(data, headSize);
    await this.#carrier.write(this.#frame.subarray(0, size));
  }
}

function reset(): Error {
  return Object.assign(new Error("The other end has reset the connection"), { code: "ECONNRESET" });
}
