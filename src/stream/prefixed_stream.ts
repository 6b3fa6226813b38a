import type { Clock } from "../platform/clock.ts";
import { concatBytes } from "./concat_bytes.ts";
import type { Duplex } from "./duplex.ts";

/** A stream whose first bytes are given beforehand: they go out along with the first write, or alone where none comes in time. */
export class PrefixedStream implements Duplex {
  readonly #stream: Duplex;
  #cancel = () => {};
  #prefix: Uint8Array | undefined;
  /** What was sent without a write. */
  #sent: Promise<void> | undefined;

  /** `delay` is how many milliseconds `prefix` waits for a write; 0 for not at all. */
  constructor(stream: Duplex, prefix: Uint8Array, delay: number, { clock }: { readonly clock: Clock }) {
    this.#stream = stream;
    this.#prefix = prefix;
    if (delay > 0) this.#cancel = clock.after(delay, () => this.#send());
    else this.#send();
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#stream.read(into);
  }

  async write(data: Uint8Array): Promise<void> {
    if (this.#prefix) return await this.#stream.write(concatBytes(this.#take(), data));
    await this.#settled();
    await this.#stream.write(data);
  }

  async closeWrite(): Promise<void> {
    if (this.#prefix) await this.#stream.write(this.#take());
    await this.#settled();
    await this.#stream.closeWrite();
  }

  reset(): void {
    this.#cancel();
    this.#stream.reset();
  }

  close(): void {
    this.#cancel();
    this.#stream.close();
  }

  #send(): void {
    this.#sent = this.#stream.write(this.#take());
    this.#sent.catch(() => {}); // the next write meets the same
  }

  #take(): Uint8Array {
    const prefix = this.#prefix ?? new Uint8Array(0);
    this.#prefix = undefined;
    this.#cancel();
    return prefix;
  }

  /** One write at a time. */
  async #settled(): Promise<void> {
    if (!this.#sent) return;
    const sent = this.#sent;
    this.#sent = undefined;
    await sent;
  }
}
