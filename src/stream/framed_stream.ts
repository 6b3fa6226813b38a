import type { Duplex } from "./duplex.ts";

/** Bytes of one frame at the most; its length stands before it in four bytes. */
const largest = 262144;
/** Bytes of its length. */
const headSize = 4;

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
      if (this.#left === 0 && !this.#ended) await this.#readLength();
      if (this.#ended || this.#closed) return null;
      return await this.#readBytes(into);
    } catch (error) {
      if (this.#closed) return null;
      throw error;
    }
  }

  async write(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; at += largest) await this.#send(data.subarray(at, at + largest));
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

  async #readLength(): Promise<void> {
    while (this.#headRead < headSize) {
      this.#headRead += await this.#take(this.#head.subarray(this.#headRead));
    }
    this.#headRead = 0;
    this.#left = new DataView(this.#head.buffer).getUint32(0);
    if (this.#left > largest) throw new RangeError(`A frame of ${this.#left} bytes is longer than any`);
    this.#ended = this.#left === 0;
  }

  /** Under load the next frame follows at once: its length comes along with the end of this one, which spares a read. */
  async #readBytes(into: Uint8Array): Promise<number> {
    const count = await this.#take(into.subarray(0, this.#left + headSize));
    const bytes = Math.min(count, this.#left);
    this.#head.set(into.subarray(bytes, count));
    this.#headRead = count - bytes;
    this.#left -= bytes;
    return bytes;
  }

  /** Reads from the carrier, which may not end before an empty frame. */
  async #take(into: Uint8Array): Promise<number> {
    const count = await this.#carrier.read(into);
    if (count !== null) return count;
    throw Object.assign(new Error("The other end has reset the connection"), { code: "ECONNRESET" });
  }

  /** Length and bytes in one write: what is copied here saves a system call there. */
  async #send(data: Uint8Array): Promise<void> {
    const size = headSize + data.length;
    if (this.#frame.length < size) this.#frame = new Uint8Array(size);
    new DataView(this.#frame.buffer).setUint32(0, data.length);
    this.#frame.set(data, headSize);
    this.#writing = true;
    try {
      await this.#carrier.write(this.#frame.subarray(0, size));
    } finally {
      this.#writing = false;
    }
  }
}
