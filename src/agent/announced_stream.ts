import type { Clock } from "../platform/clock.ts";
import { bufferedDuplex } from "../stream/buffered_duplex.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import type { Duplex } from "../stream/duplex.ts";
import { PrefixedStream } from "../stream/prefixed_stream.ts";
import { WrappedDuplex } from "../stream/wrapped_duplex.ts";
import { formatJsonLine, readJsonLine } from "./json_line.ts";
import { parseStreamAnswer } from "./parse_message.ts";
import { type Delivery, type DialRequest, lineLimit, type StreamAnswer } from "./protocol.ts";

/** The other side does not take a stream; nothing of it has reached a program. The message is the other side's. */
export class NotTaken extends Error {
  override readonly name = "NotTaken";
  readonly kind: RefusalKind;
  constructor(kind: RefusalKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Why a stream was not taken. */
export type RefusalKind = Extract<StreamAnswer, { ok: false }>["kind"];

/** Milliseconds that the other side has to find out whether it can take a connection, which it bounds by 10 s itself. */
const patience = 12_000;

function notTaken(kind: RefusalKind, message: string): Error {
  return new NotTaken(kind, message);
}

/** How an {@linkcode AnnouncedStream} goes about it. */
export interface AnnouncedStreamOptions {
  /** Milliseconds that the announcement waits for the first write, to go out with it. Default 0: it does not wait. */
  readonly delay?: number;
  /** Makes the error of a refusal. Default {@linkcode NotTaken}. */
  readonly refusal?: (kind: RefusalKind, message: string) => Error;
}

/**
 * A stream of a link that tells first what it is for. It may be written to before the other side has answered; reads fail with {@linkcode NotTaken} where it
 * says no.
 */
export class AnnouncedStream extends WrappedDuplex {
  /** Settles with the answer: rejects with {@linkcode NotTaken}, or with what broke the link. */
  readonly accepted: Promise<void>;
  readonly #stream: Duplex;
  readonly #refusal: (kind: RefusalKind, message: string) => Error;
  #reading: Duplex | undefined;

  constructor(
    stream: Duplex,
    announcement: Delivery | DialRequest,
    clock: Clock,
    { delay = 0, refusal = notTaken }: AnnouncedStreamOptions = {},
  ) {
    super(new PrefixedStream(stream, formatJsonLine(announcement), delay, { clock }));
    this.#stream = stream;
    this.#refusal = refusal;
    this.accepted = this.#answer(clock);
    this.accepted.catch(() => {});
  }

  override async read(into: Uint8Array): Promise<number | null> {
    if (!this.#reading) await this.accepted;
    return await (this.#reading ?? this.#stream).read(into);
  }

  async #answer(clock: Clock): Promise<void> {
    const cancel = clock.after(patience, () => this.#stream.reset());
    try {
      const reader = new BufferedReader(this.#stream, lineLimit + 1);
      const answer = parseStreamAnswer(await readJsonLine(reader));
      if (!answer.ok) throw this.#refusal(answer.kind, answer.error);
      this.#reading = bufferedDuplex(this.#stream, reader);
    } catch (error) {
      this.#stream.reset();
      throw error;
    } finally {
      cancel();
    }
  }
}
