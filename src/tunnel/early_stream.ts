import type { Duplex } from "../stream/duplex.ts";
import { type ForwardStream, StreamError } from "./forward_stream.ts";

/** What may be sent again to another pod; a program that sends more before any answer gets no second try. */
const replayLimit = 64 * 1024;

/** How an {@linkcode EarlyStream} goes on when its connection turns out to have failed. */
export interface EarlyStreamEvents {
  /** The pod has answered. */
  onAnswer(): void;
  /** Opens the next attempt; rejects with the error to report when there is none. */
  next(failed: StreamError): Promise<ForwardStream>;
}

/**
 * A connection that is used before it is known to stand, which saves a round trip. Where the pod turns out not to listen, what was written is sent
 * to the next pod: no program has seen it. Once a byte has come back it is that stream, and nothing is tried again.
 */
export class EarlyStream implements Duplex {
  #stream: ForwardStream;
  readonly #events: EarlyStreamEvents;
  #written: Uint8Array[] = [];
  #writtenBytes = 0;
  #settled = false;
  #writeEnded = false;
  #recovery: Promise<void> | undefined;

  constructor(stream: ForwardStream, events: EarlyStreamEvents) {
    this.#stream = stream;
    this.#events = events;
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (!this.#settled) {
      const stream = this.#stream;
      try {
        const count = await stream.read(into);
        this.#settle();
        return count;
      } catch (error) {
        await this.#recover(stream, error);
      }
    }
    return await this.#stream.read(into);
  }

  async write(data: Uint8Array): Promise<void> {
    // Behind what is being sent again.
    if (this.#recovery) await this.#recovery;
    if (!this.#settled) {
      this.#writtenBytes += data.length;
      if (this.#writtenBytes <= replayLimit) this.#written.push(data.slice());
    }
    const stream = this.#stream;
    try {
      await stream.write(data);
    } catch (error) {
      // The next attempt begins with all that was written, this included.
      await this.#recover(stream, error);
    }
  }

  closeWrite(): Promise<void> {
    this.#writeEnded = true;
    return this.#stream.closeWrite();
  }

  reset(): void {
    this.#settle();
    this.#stream.reset();
  }

  close(): void {
    this.#settle();
    this.#stream.close();
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#written = [];
    if (this.#stream.received > 0) this.#events.onAnswer();
  }

  /** Reading and writing may both meet the failure; one of them mends it. */
  async #recover(failed: ForwardStream, error: unknown): Promise<void> {
    if (failed !== this.#stream) return;
    this.#recovery ??= this.#retry(failed, error).finally(() => this.#recovery = undefined);
    await this.#recovery;
  }

  async #retry(failed: ForwardStream, error: unknown): Promise<void> {
    const untouched = error instanceof StreamError &&
      (error.code === "ECONNREFUSED" || error.code === "EHOSTUNREACH" || (!failed.replied && this.#writtenBytes === 0));
    if (this.#settled || !untouched || this.#writtenBytes > replayLimit) throw error;
    const stream = await this.#events.next(error);
    this.#stream = stream;
    // Closed or reset meanwhile.
    if (this.#settled) {
      stream.close();
      throw error;
    }
    for (const data of this.#written) await stream.write(data);
    if (this.#writeEnded) await stream.closeWrite();
  }
}
