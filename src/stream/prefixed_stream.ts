import type { Clock } from "../platform/clock.ts";
import { concatBytes } from "./concat_bytes.ts";
import type { Duplex } from "./duplex.ts";
import { WrappedDuplex } from "./wrapped_duplex.ts";

/** A stream whose first bytes are given beforehand: they go out along with the first write, or alone where none comes in time. */
export class PrefixedStream extends WrappedDuplex {
  #cancel = () => {};
  #prefix: Uint8Array | undefined;
  /** What was sent without a write. */
  #sent: Promise<void> | undefined;

  /** `delay` is how many milliseconds `prefix` waits for a write; 0 for not at all. */
  constructor(stream: Duplex, prefix: Uint8Array, delay: number, { clock }: { readonly clock: Clock }) {
    super(stream);
    this.#prefix = prefix;
    if (delay > 0) this.#cancel = clock.after(delay, () => this.#send());
    else this.#send();
  }

  override async write(data: Uint8Array): Promise<void> {
    if (this.#prefix) return await super.write(concatBytes([this.#take(), data]));
    await this.#settled();
    await super.write(data);
  }

  override async closeWrite(): Promise<void> {
    if (this.#prefix) await super.write(this.#take());
    await this.#settled();
    await super.closeWrite();
  }

  override reset(): void {
    this.#cancel();
    super.reset();
  }

  override close(): void {
    this.#cancel();
    super.close();
  }

  #send(): void {
    this.#sent = super.write(this.#take());
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
