import { WrappedDuplex } from "./wrapped_duplex.ts";

/** A stream that can be asked whether something came in, or whether the peer is gone, before anybody wants to read. */
export class PeekableStream extends WrappedDuplex {
  #peeking: Promise<boolean> | undefined;
  /** Bytes read ahead; there are some only once `#peeking` has settled. */
  #ahead: Uint8Array | undefined;

  /**
   * Resolves with true once there are bytes to read, with false at the peer's end, rejects as `read` would. Takes at most 512 bytes off the
   * stream; the next `read` gives them. Not to be called while a `read` is under way.
   */
  peek(): Promise<boolean> {
    return this.#peeking ??= this.#readAhead();
  }

  async #readAhead(): Promise<boolean> {
    const buffer = new Uint8Array(512);
    const count = await super.read(buffer);
    if (count !== null) this.#ahead = buffer.subarray(0, count);
    return count !== null;
  }

  override read(into: Uint8Array): Promise<number | null> {
    return this.#peeking ? this.#readPeeked(into, this.#peeking) : super.read(into);
  }

  async #readPeeked(into: Uint8Array, peeking: Promise<boolean>): Promise<number | null> {
    const more = await peeking;
    const ahead = this.#ahead;
    if (!more || !ahead) return null;
    const count = Math.min(ahead.length, into.length);
    into.set(ahead.subarray(0, count));
    this.#ahead = count < ahead.length ? ahead.subarray(count) : undefined;
    if (!this.#ahead) this.#peeking = undefined;
    return count;
  }
}
