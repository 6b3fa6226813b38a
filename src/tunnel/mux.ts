import type { Clock } from "../platform/clock.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import { concatBytes } from "../stream/concat_bytes.ts";
import type { Duplex } from "../stream/duplex.ts";
import { MuxStream } from "./mux_stream.ts";
import { nextTurn } from "./next_turn.ts";
import { Outbox } from "./outbox.ts";

/** Types and flags of yamux, https://github.com/hashicorp/yamux/blob/master/spec.md. */
const types = { data: 0, windowUpdate: 1, ping: 2, goAway: 3 } as const;
const flags = { syn: 1, ack: 2, fin: 4, rst: 8 } as const;

const headLength = 12;
/** The window that every stream begins with, by the specification; what one may grow to, and all of a link together beyond what they begin with. */
const initialWindow = 256 * 1024;
const largestWindow = 3 * 1024 * 1024;
const growthLimit = 32 * 1024 * 1024;
/** Milliseconds in which half a window is read where a larger one is of use. */
const fast = 250;
const frameLimit = 64 * 1024;
/** How often a sign of life is asked for, and how long it may take: a dead link is noticed within 12 s. */
const pingInterval = 8_000;
const pingPatience = 4_000;
/** How long the other side may take to end its direction of a stream that is closed here. */
const closePatience = 30_000;
/**
 * Milliseconds that the end of a direction waits for something to go with: where connections come and go it is half of what would be written, and each
 * write costs the processes on the way as much as its bytes do.
 */
const endDelay = 1;
/** Answers to pings that may wait; more is an attack or a fault. */
const answersLimit = 64;

/** The other side does not speak yamux, or breaks its rules. */
export class MuxError extends Error {
  override readonly name = "MuxError";
}

/** What a Mux is made of and whom it tells. */
export interface MuxOptions {
  /** Clients open streams with odd ids, servers with even ones. */
  readonly role: "client" | "server";
  /** Streams that the other side may have open at once. Default 4096. */
  readonly streamLimit?: number;
  /** The other side has opened a stream. */
  readonly onStream: (stream: Duplex) => void;
  /** The link is over; its streams have failed. Undefined where it was ended in good order from here. */
  readonly onEnd: (error: Error | undefined) => void;
}

/**
 * Many streams over one, each with flow control of its own (yamux, version 0): a stream that nobody reads never stalls another. Uses nothing of any
 * platform, as the agent runs it too.
 */
export class Mux {
  readonly #carrier: Duplex;
  readonly #options: MuxOptions;
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  readonly #streams = new Map<number, MuxStream>();
  /** Bytes by which windows have grown. */
  #growth = 0;
  #flushing: Promise<void> | undefined;
  /** Answers to pings that wait to be sent. */
  #answers = 0;
  #nextId: number;
  #heardAt: number;
  #ended = false;
  #stopTimer: () => void;
  /** Not the clock's, as `nextTurn` is not: time for what else is ready to run. */
  #endTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(carrier: Duplex, options: MuxOptions, deps: { readonly clock: Clock }) {
    this.#carrier = carrier;
    this.#options = options;
    this.#clock = deps.clock;
    this.#nextId = options.role === "client" ? 1 : 2;
    this.#outbox = new Outbox((parts) => carrier.write(concatBytes(parts)), deps.clock);
    this.#heardAt = deps.clock.now();
    this.#stopTimer = deps.clock.after(pingInterval, () => this.#ping());
    this.#receive().then(
      () => this.#end(new MuxError("The other side has closed the link")),
      (error) => this.#end(error),
    );
  }

  /** Streams that are open. */
  get size(): number {
    return this.#streams.size;
  }

  /** A larger window for a stream whose reader keeps up with much, as far as there is room. */
  #grow(window: number): number {
    const larger = Math.min(largestWindow, window * 2);
    if (this.#growth + larger - window > growthLimit) return window;
    this.#growth += larger - window;
    return larger;
  }

  /** Opens a stream; it may be written to at once. With `withFirstWrite` the other side hears of it no sooner. Throws where the link is over. */
  open(withFirstWrite: boolean = false): Duplex {
    if (this.#ended) throw new MuxError("The link is closed");
    const id = this.#nextId;
    if (id > 0x7ffffff0) throw new MuxError("The link has carried too many streams; open a new one");
    this.#nextId += 2;
    if (withFirstWrite) this.#post(types.windowUpdate, flags.syn, id, 0);
    else this.#tell(types.windowUpdate, flags.syn, id, 0);
    return this.#add(id);
  }

  /** Ends the link and every stream in it. */
  close(): void {
    if (this.#ended) return;
    const close = () => this.#carrier.close();
    this.#send(types.goAway, 0, 0, 0).then(close, close);
    this.#end(undefined);
  }

  #add(id: number): MuxStream {
    let grownAt = -Infinity;
    const stream = new MuxStream(initialWindow, frameLimit, {
      data: (bytes) => this.#send(types.data, 0, id, bytes.length, bytes),
      grant: (count) => this.#tell(types.windowUpdate, 0, id, count),
      fin: () => this.#tellEnd(id),
      reset: () => this.#tell(types.windowUpdate, flags.rst, id, 0),
      grow: (window) => {
        const before = grownAt;
        grownAt = this.#clock.now();
        return grownAt - before < fast ? this.#grow(window) : window;
      },
      later: (action) => this.#clock.after(closePatience, action),
      done: (window) => {
        if (this.#streams.delete(id)) this.#growth -= window - initialWindow;
      },
    });
    this.#streams.set(id, stream);
    return stream;
  }

  async #receive(): Promise<void> {
    const reader = new BufferedReader(this.#carrier, 2 * frameLimit);
    for (;;) {
      if (reader.buffered.length === 0 && !await reader.fill()) return;
      const head = await reader.exact(headLength, "a yamux frame");
      const view = new DataView(head.buffer, head.byteOffset, headLength);
      const version = view.getUint8(0), type = view.getUint8(1), flag = view.getUint16(2);
      const id = view.getUint32(4), length = view.getUint32(8);
      this.#heardAt = this.#clock.now();
      if (version !== 0) throw new MuxError(`yamux version ${version} instead of 0`);
      switch (type) {
        case types.data:
          await this.#data(reader, id, flag, length);
          break;
        case types.windowUpdate:
          this.#begin(id, flag)?.widen(length);
          this.#finish(id, flag);
          break;
        case types.ping:
          if ((flag & flags.syn) === 0) break;
          this.#answer(length);
          break;
        case types.goAway:
          return;
        default:
          throw new MuxError(`yamux frame of type ${type}`);
      }
    }
  }

  async #data(reader: BufferedReader, id: number, flag: number, length: number): Promise<void> {
    const stream = this.#begin(id, flag);
    for (let left = length; left > 0;) {
      if (reader.buffered.length === 0 && !await reader.fill()) {
        throw new MuxError("The link ended in the middle of a frame");
      }
      const chunk = reader.buffered.subarray(0, left);
      // What comes for a stream that was reset here is on its way still; it is dropped.
      if (stream && !stream.deliver(chunk)) throw new MuxError(`More than its window on stream ${id}`);
      left -= chunk.length;
      reader.consume(chunk.length);
      this.#heardAt = this.#clock.now();
    }
    this.#finish(id, flag);
  }

  /** The stream of a frame, a new one where it says SYN; undefined where it is over. */
  #begin(id: number, flag: number): MuxStream | undefined {
    if ((flag & flags.syn) === 0) return this.#streams.get(id);
    const theirs = this.#options.role === "client" ? 0 : 1;
    if (id === 0 || id % 2 !== theirs || this.#streams.has(id)) {
      throw new MuxError(`The other side may not open stream ${id}`);
    }
    if (this.#streams.size >= (this.#options.streamLimit ?? 4096)) {
      this.#tell(types.windowUpdate, flags.rst, id, 0);
      return undefined;
    }
    const stream = this.#add(id);
    this.#post(types.windowUpdate, flags.ack, id, 0); // nobody waits for it: it goes with what is said next
    this.#options.onStream(stream);
    return stream;
  }

  #finish(id: number, flag: number): void {
    if ((flag & flags.rst) !== 0) this.#streams.get(id)?.fail("the other side reset the stream");
    else if ((flag & flags.fin) !== 0) this.#streams.get(id)?.end();
  }

  #send(type: number, flag: number, id: number, length: number, body?: Uint8Array): Promise<void> {
    if (this.#ended) return Promise.reject(new MuxError("The link is closed"));
    this.#post(type, flag, id, length, body);
    return this.#flushing ??= this.#flush();
  }

  #post(type: number, flag: number, id: number, length: number, body?: Uint8Array): void {
    const head = new Uint8Array(headLength);
    const view = new DataView(head.buffer);
    view.setUint8(1, type);
    view.setUint16(2, flag);
    view.setUint32(4, id);
    view.setUint32(8, length);
    this.#outbox.post(body ? [head, body] : [head]);
  }

  /** Sends what nobody waits for; a link that is over by then has told everybody. */
  #tell(type: number, flag: number, id: number, length: number): void {
    this.#send(type, flag, id, length).catch(() => {});
  }

  #tellEnd(id: number): void {
    if (this.#ended) return;
    this.#post(types.windowUpdate, flags.fin, id, 0);
    this.#endTimer ??= setTimeout(() => {
      this.#endTimer = undefined;
      (this.#flushing ??= this.#flush()).catch(() => {});
    }, endDelay);
  }

  #answer(ping: number): void {
    if (this.#answers === answersLimit) throw new MuxError("The other side pings faster than it reads");
    this.#answers++;
    this.#send(types.ping, flags.ack, 0, ping).then(() => this.#answers--, () => {});
  }

  /** Frames of one turn of the event loop go out together: on the way to a pod each write costs several processes as much as its bytes do. */
  async #flush(): Promise<void> {
    await nextTurn();
    this.#flushing = undefined;
    try {
      await this.#outbox.flush();
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  #ping(): void {
    const asked = this.#clock.now();
    this.#tell(types.ping, flags.syn, 0, asked & 0x7fffffff);
    this.#stopTimer = this.#clock.after(pingPatience, () => {
      if (this.#heardAt < asked) {
        return this.#end(new MuxError(`The link has been silent for ${pingPatience / 1000} s`));
      }
      this.#stopTimer = this.#clock.after(pingInterval - pingPatience, () => this.#ping());
    });
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopTimer();
    clearTimeout(this.#endTimer);
    for (const stream of [...this.#streams.values()]) stream.fail(error?.message ?? "the link was closed");
    this.#streams.clear();
    if (error) this.#carrier.reset();
    this.#options.onEnd(error);
  }
}
