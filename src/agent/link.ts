import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import type { Duplex } from "../stream/duplex.ts";
import { Mux } from "../tunnel/mux.ts";
import { AnnouncedStream } from "./announced_stream.ts";
import { formatJsonLine, readJsonLine } from "./json_line.ts";
import { parseControlRequest } from "./parse_message.ts";
import {
  type ControlAnswer,
  type ControlEvent,
  type ControlRequest,
  type Delivery,
  lineLimit,
  type Owner,
  type Seen,
} from "./protocol.ts";
import { SeenReport } from "./seen_report.ts";

/** What a link is to do with what comes over it. */
export interface LinkHost {
  /** Answers a line of the control stream; `seq` is added. */
  control(request: ControlRequest): Promise<Answer> | Answer;
  /** Serves a stream that the laptop opened for a connection of its own. */
  dial(stream: Duplex): void;
  /** The link is over. */
  ended(error: Error | undefined): void;
}

/** An answer without its number. */
export type Answer = DistributiveOmit<ControlAnswer, "seq">;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** How often a laptop is told what it has served, in milliseconds. */
const servedInterval = 1000;

/** The link to one laptop, once both have shaken hands. */
export class Link {
  readonly owner: Owner;
  readonly #mux: Mux;
  readonly #host: LinkHost;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #told = new Set<string>();
  readonly #served = new Map<string, number>();
  #control: Duplex | undefined;
  #said: Promise<void> = Promise.resolve();
  #stopTelling: (() => void) | undefined;
  #report: SeenReport | undefined;
  #alive = true;

  constructor(carrier: Duplex, owner: Owner, host: LinkHost, deps: { readonly clock: Clock; readonly log: Log }) {
    this.owner = owner;
    this.#host = host;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#mux = new Mux(carrier, {
      role: "server",
      onStream: (stream) => this.#onStream(stream),
      onEnd: (error) => this.#onEnd(error),
    }, deps);
  }

  /** False once it is over. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Sends traffic to the laptop. Throws where the link is over. */
  deliver(delivery: Delivery): AnnouncedStream {
    return new AnnouncedStream(this.#mux.open(), delivery, this.#clock);
  }

  /** Counts an answer of the laptop's program. */
  served(rule: string): void {
    this.#served.set(rule, (this.#served.get(rule) ?? 0) + 1);
    this.#stopTelling ??= this.#clock.after(servedInterval, () => this.#tellServed());
  }

  /** Whether the laptop wants to be told of each request. */
  get observed(): boolean {
    return this.#report !== undefined;
  }

  /** Begins, or ends, to tell the laptop of each request. */
  observe(on: boolean): void {
    if (on === this.observed) return;
    this.#report?.close();
    this.#report = on ? new SeenReport((event) => this.#say(event), this.#clock) : undefined;
  }

  /** Something came to the laptop; told where it is {@linkcode observed}. */
  saw(seen: Seen): void {
    this.#report?.add(seen);
  }

  /** Tells the laptop what it has not asked for. */
  tell(event: ControlEvent): void {
    this.#say(event);
  }

  /** Tells the laptop what it has not been told yet over this link. */
  tellOnce(event: ControlEvent): void {
    const key = JSON.stringify(event);
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.tell(event);
  }

  /** Ends the link in good order. */
  close(): void {
    this.#mux.close();
  }

  #tellServed(): void {
    this.#stopTelling = undefined;
    for (const [rule, count] of this.#served) this.tell({ event: "served", rule, count });
    this.#served.clear();
  }

  #onStream(stream: Duplex): void {
    if (this.#control) return this.#host.dial(stream);
    this.#control = stream;
    this.#listen(stream).catch((error) => {
      if (this.#alive) this.#log.warn(`${this.owner.name} does not speak as it should: ${error.message}`);
      this.close();
    });
  }

  async #listen(control: Duplex): Promise<void> {
    const reader = new BufferedReader(control, lineLimit + 1);
    for (;;) {
      const request = parseControlRequest(await readJsonLine(reader));
      // Draining takes its time, in which others may be asked for.
      Promise.resolve(this.#host.control(request)).then((answer) => this.#say({ seq: request.seq, ...answer }));
    }
  }

  /** Lines go out one after another; a laptop that does not read them loses its link. */
  #say(line: ControlAnswer | ControlEvent): Promise<void> {
    const control = this.#control;
    if (!control || !this.#alive) return this.#said;
    return this.#said = this.#said.then(() => control.write(formatJsonLine(line))).catch(() => this.close());
  }

  #onEnd(error: Error | undefined): void {
    this.#alive = false;
    this.#stopTelling?.();
    this.#report?.close();
    this.#host.ended(error);
  }
}
