import { type Delivery, lineLimit, type StreamAnswer } from "../agent/protocol.ts";
import type { Clock } from "../platform/clock.ts";
import { withDeadline } from "../platform/deadline.ts";
import { bufferedDuplex } from "../stream/buffered_duplex.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import { connectTcp } from "../stream/connect_tcp.ts";
import type { Duplex } from "../stream/duplex.ts";
import { relay, type RelayCount } from "../stream/relay.ts";
import type { LocalProgram } from "./local_program.ts";

/** Milliseconds that a program of this machine may take to accept a connection. */
const connectPatience = 5_000;
/** Milliseconds in which the agent has to say what a stream is for. */
const headPatience = 10_000;

/** Milliseconds of quiet after which an answer is taken to be over. */
const quiet = 300;

/** One delivery while it lasts. */
export class Activity implements RelayCount {
  readonly #clock: Clock;
  #sent = 0;
  #received = 0;
  #owed = false;
  #answeredAt = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes to the program here. */
  get sent(): number {
    return this.#sent;
  }

  set sent(count: number) {
    this.#sent = count;
    this.#owed = true;
  }

  /** Bytes from the program here. */
  get received(): number {
    return this.#received;
  }

  set received(count: number) {
    this.#received = count;
    this.#owed = false;
    this.#answeredAt = this.#clock.now();
  }

  /** Whether the program has been asked and has not answered, or is just answering. Callers keep connections open for long after that. */
  get underWay(): boolean {
    return this.#owed || this.#clock.now() - this.#answeredAt < quiet;
  }
}

/** What carrying a delivery needs. */
export interface DeliveryDeps {
  readonly clock: Clock;
  /** Opens a connection to the program here that a rule is for; undefined where there is no such rule any more. */
  programFor(rule: string): LocalProgram | undefined;
  /** Told of each delivery that a program here did not take. */
  onRefused(program: LocalProgram | undefined, error: Error): void;
}

/**
 * Carries one stream that the agent has opened to the local program its rule names, until both have ended. Never rejects: the agent is told where the program
 * did not take it, and decides what becomes of the request.
 */
export async function carryDelivery(
  stream: Duplex,
  activity: Activity,
  deps: DeliveryDeps,
  signal: AbortSignal,
): Promise<void> {
  let taken: Duplex | undefined;
  const cut = () => {
    stream.reset();
    taken?.reset(); // where the caller has said all, nothing else would show the program's side that it is over
  };
  if (signal.aborted) return cut();
  signal.addEventListener("abort", cut, { once: true });
  try {
    const reader = new BufferedReader(stream, lineLimit);
    const { rule } = await withDeadline(deps.clock, headPatience, signal, () => new Error("no word"), async () => {
      const line = new TextDecoder().decode(await reader.line(lineLimit));
      return JSON.parse(line) as Partial<Delivery>; // looked up below: what we do not know has no program
    });
    const program = deps.programFor(rule ?? "");
    const local = await connect(program, deps.clock, signal).catch((error) => {
      deps.onRefused(program, error);
      return error instanceof Error ? error : new Error(String(error));
    });
    if (local instanceof Error) {
      await answer(stream, { ok: false, kind: "refused", error: local.message });
      return stream.close();
    }
    taken = local;
    await answer(stream, { ok: true });
    await relay(bufferedDuplex(stream, reader), local, activity);
  } catch {
    stream.reset(); // the link broke, or what came on it was no delivery
  } finally {
    signal.removeEventListener("abort", cut);
  }
}

async function connect(program: LocalProgram | undefined, clock: Clock, signal: AbortSignal): Promise<Duplex> {
  if (!program) throw new Error("this laptop has no such rule any more");
  let failure: unknown;
  for (const host of program.hosts) {
    const late = () => new Error(`no answer within ${connectPatience / 1000} s`);
    try {
      return await withDeadline(clock, connectPatience, signal, late, (limit) => connectTcp(host, program.port, limit));
    } catch (error) {
      failure = error;
    }
  }
  throw new Error(`nothing takes connections on ${program.hosts[0]}:${program.port}`, { cause: failure });
}

function answer(stream: Duplex, value: StreamAnswer): Promise<void> {
  return stream.write(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
}
