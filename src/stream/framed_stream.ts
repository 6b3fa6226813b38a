import { BufferedReader, UnexpectedEnd } from "./buffered_reader.ts";
import type { Duplex } from "./duplex.ts";

/** Bytes of one frame at the most; its length stands before it in four bytes. */
const largest = 262144;

/**
 * A byte stream over a carrier that cannot say whether its end is a good one, as unix sockets cannot: there is no such thing as a
 * reset among them. Bytes go in frames, each behind its length (32 bits, big-endian); an empty frame is the end of a direction, and a carrier
 * that ends without it was reset. Both ends must be wrapped.
 */
export class FramedStream implements Duplex {
  readonly #carrier: Duplex;
  readonly #reader: BufferedReader;
  /** Bytes of the frame being read that are still to come. */
  #left = 0;
  #ended = false;
  #closed = false;
  #endSent = false;
  #writing = false;
  #frame = new Uint8Array(0);

  constructor(carrier: Duplex) {
    this.#carrier = carrier;
    this.#reader = new BufferedReader(carrier, 65536);
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (into.length === 0) return 0;
    try {
      if (this.#left === 0 && !this.#ended) await this.#readLength();
      if (this.#ended || this.#closed) return null;
      const count = await this.#reader.read(into.length > this.#left ? into.subarray(0, this.#left) : into);
      if (count === null) throw new UnexpectedEnd("a frame");
      this.#left -= count;
      return count;
    } catch (error) {
      if (this.#closed) return null;
      throw error instanceof UnexpectedEnd ? reset(error) : error;
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
    const head = await this.#reader.exact(4, "the length of a frame");
    this.#left = new DataView(head.buffer, head.byteOffset).getUint32(0);
    if (this.#left > largest) throw new RangeError(`A frame of ${this.#left} bytes is longer than any`);
    this.#ended = this.#left === 0;
  }

  /** Length and bytes in one write: what is copied here saves a system call there. */
  async #send(data: Uint8Array): Promise<void> {
    const size = 4 + data.length;
    if (this.#frame.length < size) this.#frame = new Uint8Array(size);
    new DataView(this.#frame.buffer).setUint32(0, data.length);
    this.#frame.set(data, 4);
    this.#writing = true;
    try {
      await this.#carrier.write(this.#frame.subarray(0, size));
    } finally {
      this.#writing = false;
    }
  }
}

function reset(cause: Error): Error {
  return Object.assign(new Error("The other end has reset the connection", { cause }), { code: "ECONNRESET" });
}
