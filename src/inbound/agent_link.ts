import {
  type ControlAnswer,
  type ControlEvent,
  type ControlRequest,
  type Hello,
  lineLimit,
  type Owner,
  protocolVersions,
  type Welcome,
} from "../agent/protocol.ts";
import type { Clock } from "../platform/clock.ts";
import { withDeadline } from "../platform/deadline.ts";
import { Failure } from "../platform/failure.ts";
import { bufferedDuplex } from "../stream/buffered_duplex.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import type { Duplex } from "../stream/duplex.ts";
import { Mux } from "../tunnel/mux.ts";

/** Milliseconds in which an agent has to answer a greeting or a request. */
const patience = 10_000;

/** A request without its number. */
export type AgentRequest = ControlRequest extends infer R ? R extends unknown ? Omit<R, "seq"> : never : never;

/** What a link tells. */
export interface AgentLinkOptions {
  readonly token: string;
  readonly owner: Owner;
  /** The agent has traffic for this laptop. */
  readonly onDelivery: (stream: Duplex) => void;
  readonly onEvent: (event: ControlEvent) => void;
}

/** One link to one agent pod, from the greeting to its end. */
export class AgentLink {
  /** Resolves when the link is over, with what broke it or undefined. */
  readonly ended: Promise<Error | undefined>;
  readonly #clock: Clock;
  readonly #mux: Mux;
  readonly #control: Duplex;
  readonly #waiting = new Map<number, (answer: ControlAnswer | Error) => void>();
  #seq = 0;

  private constructor(stream: Duplex, { onDelivery, onEvent }: AgentLinkOptions, clock: Clock) {
    this.#clock = clock;
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.ended = promise;
    this.#mux = new Mux(stream, {
      role: "client",
      onStream: onDelivery,
      onEnd: (error) => {
        for (const settle of this.#waiting.values()) settle(error ?? new Error("the link was closed"));
        resolve(error);
      },
    }, { clock });
    this.#control = this.#mux.open();
    this.#listen(onEvent).catch(() => this.#mux.close());
  }

  /**
   * Greets the agent over a fresh connection to its link port and takes the connection over. Rejects with a {@linkcode Failure} where the agent
   * refuses for good, with another Error where the connection breaks, nothing comes, or the pod is of another agent; the connection is closed then.
   */
  static async open(
    stream: Duplex,
    options: AgentLinkOptions,
    { clock }: { readonly clock: Clock },
    signal: AbortSignal,
  ): Promise<AgentLink> {
    const silent = () => new Error(`The agent gives no answer within ${patience / 1000} s`);
    try {
      return await withDeadline(clock, patience, signal, silent, async (limit) => {
        limit.addEventListener("abort", () => stream.reset(), { once: true });
        const hello: Hello = { hawser: protocolVersions, token: options.token, owner: options.owner };
        await stream.write(line(hello));
        const reader = new BufferedReader(stream, lineLimit);
        const welcome: Welcome = JSON.parse(new TextDecoder().decode(await reader.line(lineLimit)));
        if ("error" in welcome) {
          const message = `The agent refuses this hawser: ${welcome.error}`;
          throw welcome.reason === "token" ? new Error(message) : new Failure(message);
        }
        return new AgentLink(bufferedDuplex(stream, reader), options, clock);
      });
    } catch (error) {
      stream.reset();
      throw error;
    }
  }

  /** Asks the agent; rejects where the link ends or nothing comes within 10 s beyond what the request itself may take. */
  async request(request: AgentRequest, signal: AbortSignal): Promise<ControlAnswer> {
    const seq = ++this.#seq;
    const allowed = patience + (request.type === "drain" ? request.ms : 0);
    const silent = () => new Error(`The agent gives no answer to "${request.type}"`);
    try {
      return await withDeadline(this.#clock, allowed, signal, silent, async (limit) => {
        const { promise, resolve, reject } = Promise.withResolvers<ControlAnswer>();
        this.#waiting.set(seq, (answer) => answer instanceof Error ? reject(answer) : resolve(answer));
        limit.addEventListener("abort", () => reject(limit.reason), { once: true });
        await Promise.all([this.#control.write(line({ seq, ...request })), promise]);
        return await promise;
      });
    } finally {
      this.#waiting.delete(seq);
    }
  }

  /** Opens a stream for a connection of our own, of which the agent hears with the first write. Throws where the link is over. */
  open(): Duplex {
    return this.#mux.open(true);
  }

  /** Ends the link and every stream in it. */
  close(): void {
    this.#mux.close();
  }

  async #listen(onEvent: (event: ControlEvent) => void): Promise<void> {
    const reader = new BufferedReader(this.#control, lineLimit);
    for (;;) {
      const message: ControlAnswer | ControlEvent = JSON.parse(new TextDecoder().decode(await reader.line(lineLimit)));
      if ("event" in message) onEvent(message);
      else this.#waiting.get(message.seq)?.(message);
    }
  }
}

function line(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}
