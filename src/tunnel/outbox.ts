import type { Clock } from "../platform/clock.ts";

/** Frames on their way to a carrier: whatever is to be sent while a write is under way goes out together as the next one. */
export class Outbox {
  readonly #write: (parts: readonly Uint8Array[]) => Promise<void>;
  readonly #clock: Clock;
  #parts: Uint8Array[] = [];
  #flushed: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #sendingSince: number | undefined;

  /** `write` writes all parts in order; the error it rejects with is what every later `send` rejects with. */
  constructor(write: (parts: readonly Uint8Array[]) => Promise<void>, clock: Clock) {
    this.#write = write;
    this.#clock = clock;
  }

  /** Parts that wait for the write under way. */
  get waiting(): number {
    return this.#parts.length;
  }

  /** Since when the carrier has not taken what was written last, by the clock's `now`; undefined while it has. */
  get sendingSince(): number | undefined {
    return this.#sendingSince;
  }

  /** Resolves once the parts are written and may be reused. */
  send(parts: readonly Uint8Array[]): Promise<void> {
    this.#parts.push(...parts);
    return this.flush();
  }

  /** Lets the parts go out with whatever is sent next; `flush` is the caller's to call, if nothing else is. */
  post(parts: readonly Uint8Array[]): void {
    this.#parts.push(...parts);
  }

  /** Writes what waits; resolves once it is written. */
  flush(): Promise<void> {
    if (this.#parts.length === 0) return this.#writing;
    return this.#flushed ??= this.#flush();
  }

  async #flush(): Promise<void> {
    await this.#writing;
    const parts = this.#parts;
    this.#parts = [];
    this.#flushed = undefined;
    this.#sendingSince = this.#clock.now();
    this.#writing = this.#write(parts).then(() => {
      this.#sendingSince = undefined;
    });
    await this.#writing;
  }
}
