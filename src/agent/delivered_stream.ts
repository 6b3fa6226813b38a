import type { Clock } from "../platform/clock.ts";
import { bufferedDuplex } from "../stream/buffered_duplex.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import type { Duplex } from "../stream/duplex.ts";
import { formatJsonLine, readJsonLine } from "./json_line.ts";
import { parseStreamAnswer } from "./parse_message.ts";
import { type Delivery, lineLimit } from "./protocol.ts";

/** The laptop does not take what was delivered; nothing of it has reached a program. The message is the laptop's. */
export class NotTaken extends Error {
  override readonly name = "NotTaken";
}

/** Milliseconds that a laptop has to find out whether its program takes a connection. */
const patience = 10_000;

/** Traffic on its way to a laptop. It may be written to before the laptop has answered; reads fail with {@linkcode NotTaken} where it says no. */
export class DeliveredStream implements Duplex {
  /** Settles with the laptop's answer: rejects with {@linkcode NotTaken}, or with what broke the link. */
  readonly accepted: Promise<void>;
  readonly #stream: Duplex;
  readonly #announced: Promise<void>;
  #reading: Duplex | undefined;

  constructor(stream: Duplex, delivery: Delivery, clock: Clock) {
    this.#stream = stream;
    this.#announced = stream.write(formatJsonLine(delivery));
    this.accepted = this.#answer(clock);
    this.accepted.catch(() => {});
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (!this.#reading) await this.accepted;
    return await (this.#reading ?? this.#stream).read(into);
  }

  async write(data: Uint8Array): Promise<void> {
    await this.#announced;
    await this.#stream.write(data);
  }

  closeWrite(): Promise<void> {
    return this.#stream.closeWrite();
  }

  reset(): void {
    this.#stream.reset();
  }

  close(): void {
    this.#stream.close();
  }

  async #answer(clock: Clock): Promise<void> {
    const cancel = clock.after(patience, () => this.#stream.reset());
    try {
      await this.#announced;
      const reader = new BufferedReader(this.#stream, lineLimit + 1);
      const answer = parseStreamAnswer(await readJsonLine(reader));
      if (!answer.ok) throw new NotTaken(answer.error);
      this.#reading = bufferedDuplex(this.#stream, reader);
    } catch (error) {
      this.#stream.reset();
      throw error;
    } finally {
      cancel();
    }
  }
}
