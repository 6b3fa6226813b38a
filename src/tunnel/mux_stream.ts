import { ByteQueue } from "../stream/byte_queue.ts";
import type { Duplex } from "../stream/duplex.ts";

/** What a stream sends over its link. */
export interface MuxStreamHost {
  data(bytes: Uint8Array): Promise<void>;
  grant(count: number): void;
  /** Ends our direction, within moments. */
  fin(): void;
  reset(): void;
  /** The window to go on with after half of `window` was read. */
  grow(window: number): number;
  /** Calls `action` in half a minute unless the returned function is called before. */
  later(action: () => void): () => void;
  /** Both directions are over: nothing more may come for it. `window` is what it ended with. */
  done(window: number): void;
}

/** One stream of a link, with a window of bytes each way. */
export class MuxStream implements Duplex {
  readonly #host: MuxStreamHost;
  /** Bytes that may wait for a reader. */
  #window: number;
  readonly #frameLimit: number;
  readonly #arrived = new ByteQueue();
  /** Bytes that we may send. */
  #sendWindow: number;
  /** Bytes that the other side may send. */
  #receiveWindow: number;
  #wake: (() => void) | undefined;
  /** Bytes of a write that have not been sent. */
  #unsent = 0;
  #finSent = false;
  #finReceived = false;
  #failure: Error | undefined;
  #closed = false;
  #stopWaiting = () => {};

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
    this.#unsent = data.length;
    let sent: Promise<void> | undefined;
    for (let at = 0; at < data.length;) {
      while (this.#sendWindow === 0 && !this.#over) await new Promise<void>((resolve) => this.#wake = resolve);
      if (this.#failure) throw this.#failure;
      if (this.#finSent || this.#closed) throw reset("the stream is closed");
      const piece = data.subarray(at, at + Math.min(this.#sendWindow, this.#frameLimit));
      this.#sendWindow -= piece.length;
      at += piece.length;
      this.#unsent -= piece.length;
      sent = this.#host.data(piece);
      sent.catch(() => {}); // the link is over then, which the next piece or the last one meets
    }
    await sent; // and with it all before
  }

  closeWrite(): Promise<void> {
    if (!this.#finSent && !this.#over) {
      this.#finSent = true;
      this.#host.fin();
      this.#settle();
    }
    return Promise.resolve();
  }

  reset(): void {
    if (!this.#over) this.#abandon();
    this.close();
  }

  /**
   * The other side hears an end, and has half a minute for its own. It hears a reset where something is unread, comes later, or was not
   * sent: what is cut short must not look whole.
   */
  close(): void {
    if (this.#closed) return;
    const cut = this.#unsent > 0 || this.#arrived.size > 0;
    if (!cut) this.closeWrite().catch(() => {});
    this.#closed = true;
    this.#arrived.clear();
    this.#arrived.end();
    this.#wake?.();
    if (this.#failure || (this.#finSent && this.#finReceived)) return;
    if (cut) this.#abandon();
    else this.#stopWaiting = this.#host.later(() => this.#abandon());
  }

  /** Takes data from the link; false where it is more than was allowed. */
  deliver(bytes: Uint8Array): boolean {
    if (this.#closed && !this.#failure) this.#abandon();
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
    this.#stopWaiting();
    this.#arrived.end();
    this.#settle();
  }

  /** The stream is broken; what has arrived can be read still. */
  fail(why: string): void {
    if (this.#failure) return;
    this.#stopWaiting();
    this.#failure = reset(why);
    this.#arrived.end(this.#failure);
    this.#wake?.();
    this.#host.done(this.#window);
  }

  /** Tells the other side that nothing more is taken from it. */
  #abandon(): void {
    this.#host.reset();
    this.fail("it was reset here");
  }

  get #over(): boolean {
    return this.#closed || this.#failure !== undefined;
  }

  /** Gives the window back once half of it has been read: often enough that a steady reader is never waited for, and rarely enough to cost nothing. */
  #grant(): void {
    if (this.#over || this.#finReceived) return;
    let free = this.#window - this.#receiveWindow - this.#arrived.size;
    if (free < this.#window / 2) return;
    // With a reader this fast the way here is the limit: more may be on it.
    if (this.#arrived.size === 0) {
      const larger = this.#host.grow(this.#window);
      free += larger - this.#window;
      this.#window = larger;
    }
    this.#receiveWindow += free;
    this.#host.grant(free);
  }

  #settle(): void {
    if (this.#finSent && this.#finReceived) this.#host.done(this.#window);
  }
}

function reset(why: string): Error {
  return Object.assign(new Error(`The connection broke: ${why}`), { code: "ECONNRESET" });
}
