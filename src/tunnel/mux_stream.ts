import { ByteQueue } from "../stream/byte_queue.ts";
import type { Duplex } from "../stream/duplex.ts";

/** What a stream sends over its link. */
export interface MuxStreamHost {
  data(bytes: Uint8Array): Promise<void>;
  grant(count: number): Promise<void>;
  fin(): Promise<void>;
  reset(): Promise<void>;
  /** Both directions are over: nothing more may come for it. */
  done(): void;
}

/** One stream of a link, with a window of bytes each way. */
export class MuxStream implements Duplex {
  readonly #host: MuxStreamHost;
  readonly #window: number;
  readonly #frameLimit: number;
  readonly #arrived = new ByteQueue();
  /** Bytes that we may send. */
  #sendWindow: number;
  /** Bytes that the other side may send. */
  #receiveWindow: number;
  #wake: (() => void) | undefined;
  #finSent = false;
  #finReceived = false;
  #failure: Error | undefined;
  #closed = false;

  constructor(window: number, frameLimit: number, host: MuxStreamHost) {
    this.#host = host;
    this.#window = this.#sendWindow = this.#receiveWindow = window;
    this.#frameLimit = frameLimit;
  }

  async read(into: Uint8Array): Promise<number | null> {
    const count = await this.#arrived.read(into);
    this.#grant();
    return count;
  }

  async write(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length;) {
      while (this.#sendWindow === 0 && !this.#over) await new Promise<void>((resolve) => this.#wake = resolve);
      if (this.#failure) throw this.#failure;
      if (this.#finSent || this.#closed) throw reset("the stream is closed");
      const piece = data.subarray(at, at + Math.min(this.#sendWindow, this.#frameLimit));
      this.#sendWindow -= piece.length;
      at += piece.length;
      await this.#host.data(piece);
    }
  }

  closeWrite(): Promise<void> {
    if (!this.#finSent && !this.#over) {
      this.#finSent = true;
      this.#host.fin().catch(() => {});
      this.#settle();
    }
    return Promise.resolve();
  }

  reset(): void {
    if (!this.#over) this.#host.reset().catch(() => {});
    this.fail("it was reset here");
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    // A reader that leaves before the end has no use for the rest: the other side may stop.
    if (!this.#failure && !(this.#finSent && this.#finReceived)) this.#host.reset().catch(() => {});
    this.#closed = true;
    this.#arrived.clear();
    this.#arrived.end();
    this.#wake?.();
    this.#host.done();
  }

  /** Takes data from the link; false where it is more than was allowed. */
  deliver(bytes: Uint8Array): boolean {
    if (this.#over) return true;
    this.#receiveWindow -= bytes.length;
    if (this.#receiveWindow < 0) return false;
    this.#arrived.push(bytes);
    return true;
  }

  /** The other side takes more. */
  widen(count: number): void {
    this.#sendWindow = Math.min(0xffffffff, this.#sendWindow + count);
    const wake = this.#wake;
    this.#wake = undefined;
    if (count > 0) wake?.();
  }

  /** The other side has ended its direction. */
  end(): void {
    this.#finReceived = true;
    this.#arrived.end();
    this.#settle();
  }

  /** The stream is broken; what has arrived can be read still. */
  fail(why: string): void {
    if (this.#over) return;
    this.#failure = reset(why);
    this.#arrived.end(this.#failure);
    this.#wake?.();
    this.#host.done();
  }

  get #over(): boolean {
    return this.#closed || this.#failure !== undefined;
  }

  /** Gives the window back once half of it has been read: often enough that a steady reader is never waited for, and rarely enough to cost nothing. */
  #grant(): void {
    if (this.#over || this.#finReceived) return;
    const free = this.#window - this.#receiveWindow - this.#arrived.size;
    if (free < this.#window / 2) return;
    this.#receiveWindow += free;
    this.#host.grant(free).catch(() => {});
  }

  #settle(): void {
    if (this.#finSent && this.#finReceived) this.#host.done();
  }
}

function reset(why: string): Error {
  return Object.assign(new Error(`The connection broke: ${why}`), { code: "ECONNRESET" });
}
