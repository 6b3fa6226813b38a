import { formatJsonLine, readJsonLine } from "../../src/agent/json_line.ts";
import type {
  ControlAnswer,
  ControlEvent,
  ControlRequest,
  Delivery,
  Rule,
  StreamAnswer,
  Welcome,
} from "../../src/agent/protocol.ts";
import type { Clock } from "../../src/platform/clock.ts";
import { bufferedDuplex } from "../../src/stream/buffered_duplex.ts";
import { BufferedReader } from "../../src/stream/buffered_reader.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { Mux } from "../../src/tunnel/mux.ts";
import { End } from "../stream/end.ts";

/** What the program on a laptop does with a connection; an answer instead of that refuses all. */
export type Program = ((end: End, delivery: Delivery) => Promise<void>) | Exclude<StreamAnswer, { ok: true }>;

type Ask = ControlRequest extends infer R ? R extends unknown ? Omit<R, "seq"> : never : never;

/** A laptop as the agent sees it: the other end of a link, played without the code that plays it in earnest. */
export class FakeLaptop {
  /** What the agent has told by itself. */
  readonly events: ControlEvent[] = [];
  readonly deliveries: Delivery[] = [];
  program: Program;
  /** Resolves when the link is over. */
  readonly ended: Promise<void>;
  readonly #carrier: Duplex;
  readonly #mux: Mux;
  readonly #control: Duplex;
  readonly #waiting = new Map<number, (answer: ControlAnswer) => void>();
  #seq = 0;

  private constructor(carrier: Duplex, program: Program, clock: Clock) {
    this.#carrier = carrier;
    this.program = program;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    const onEnd = () => resolve();
    this.#mux = new Mux(carrier, { role: "client", onStream: (stream) => void this.#serve(stream), onEnd }, { clock });
    this.#control = this.#mux.open();
    this.#listen().catch(() => {});
  }

  /** Shakes hands over a connection to the link port. Throws what the agent says against it. */
  static async open(stream: Duplex, hello: unknown, program: Program, clock: Clock): Promise<FakeLaptop> {
    await stream.write(formatJsonLine(hello));
    const reader = new BufferedReader(stream, 65537);
    const welcome = await readJsonLine(reader) as Welcome;
    if ("error" in welcome) {
      stream.close();
      throw new Error(welcome.error);
    }
    return new FakeLaptop(bufferedDuplex(stream, reader), program, clock);
  }

  /** Asks the agent on the control stream. */
  async ask(request: Ask): Promise<ControlAnswer> {
    const seq = ++this.#seq;
    const answer = new Promise<ControlAnswer>((resolve) => this.#waiting.set(seq, resolve));
    await this.say({ ...request, seq });
    return await answer;
  }

  /** Writes any line to the control stream. */
  async say(line: unknown): Promise<void> {
    await this.#control.write(formatJsonLine(line));
  }

  /** Sets rules; throws where they are refused. */
  async rule(...rules: readonly Rule[]): Promise<void> {
    const answer = await this.ask({ type: "rules", rules });
    if (!answer.ok) throw new Error(answer.error);
  }

  /** Opens a stream of the laptop's own, to be dialed by the agent. */
  open(): End {
    return new End(this.#mux.open());
  }

  /** Dies without a word. */
  kill(): void {
    this.#carrier.reset();
  }

  /** Ends its link in good order. */
  close(): void {
    this.#mux.close();
  }

  async #serve(stream: Duplex): Promise<void> {
    const end = new End(stream);
    try {
      const delivery = JSON.parse(new TextDecoder().decode(await end.reader.line(65536))) as Delivery;
      this.deliveries.push(delivery);
      if (typeof this.program === "function") {
        await stream.write(formatJsonLine({ ok: true }));
        await this.program(end, delivery);
        await stream.closeWrite();
      } else {
        await stream.write(formatJsonLine(this.program));
      }
    } catch {
      // The agent, or the test, has ended it.
    }
    stream.close();
  }

  async #listen(): Promise<void> {
    const reader = new BufferedReader(this.#control, 65537);
    for (;;) {
      const line = await readJsonLine(reader) as ControlAnswer | ControlEvent;
      if ("event" in line) this.events.push(line);
      else this.#waiting.get(line.seq)?.(line);
    }
  }
}
