import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import { ForwardStream, StreamError, type StreamHost } from "./forward_stream.ts";
import {
  cancel,
  dataHead,
  finFlag,
  frameTypes,
  headLength,
  parseHead,
  pingFrame,
  rstStreamFrame,
  synStreamFrame,
} from "./spdy.ts";
import { Outbox } from "./outbox.ts";
import { nextTurn } from "./next_turn.ts";
import type { Wire } from "./wire.ts";

/** A PING goes out so often; it also keeps load balancers and the runtime's idle timer at rest. */
const pingInterval = 10_000;
/** A session that has said nothing for so long after a PING or a new stream is dead. */
const answerLimit = 5_000;
/** So long the end of a direction waits for company. */
const finDelay = 50;
/** What one session may take from the event loop before others get their turn. */
const turnLimit = 64 * 1024;
/** Ids must stay below 2^31; a session that comes near takes no more streams. */
const lastId = 0x7ffffff0;
/** The server sends nothing longer than a refusal's text in a control frame. */
const controlLimit = 16 * 1024;
/** Bytes for streams that are gone: a few may be on their way, more means that a download runs on for nobody. */
const strayLimit = 256 * 1024;

/** A write that takes so long waits for a pod that takes nothing. */
const stuckLimit = 1_000;

/** What a session tells its owner. */
export interface SessionEvents {
  /** A stream has ended or fallen silent. */
  onChange(session: SpdySession): void;
  /** The session is over; its streams have failed. */
  onEnd(session: SpdySession, error: Error): void;
}

/** A port-forward session to one pod: many TCP connections to any of its ports over one upgraded connection. */
export class SpdySession {
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #events: SessionEvents;
  readonly #streams = new Map<number, ForwardStream>();
  readonly #host: StreamHost;
  readonly #outbox: Outbox;
  #nextId = 1;
  #pingId = 1;
  #heardAt: number;
  /** A reader stalls: nothing more can be heard until it goes on. */
  #blocked = false;
  #stray = 0;
  #error: Error | undefined;
  #stopTimer: () => void;
  /** When it last had a live stream, by the clock's `now`. */
  idleSince: number;

  constructor(wire: Wire, events: SessionEvents, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#wire = wire;
    this.#events = events;
    this.#clock = deps.clock;
    this.#outbox = new Outbox((parts) => wire.write(parts), deps.clock);
    this.#log = deps.log;
    this.#heardAt = this.idleSince = deps.clock.now();
    this.#host = {
      clock: deps.clock,
      data: (stream, data) => this.#send([dataHead(stream, data.length, 0), data]),
      fin: (stream) => this.#fin(stream),
      cancel: (stream) => this.#cancel(stream),
      changed: (stream) => this.#changed(stream),
    };
    this.#stopTimer = deps.clock.after(pingInterval, () => this.#ping());
    this.#receive().then(
      () => this.#end(new StreamError("ECONNRESET", "the API server has closed the port-forward session")),
      (error) => this.#end(error),
    );
  }

  /** True while new streams may be opened. */
  get open(): boolean {
    return this.#error === undefined && this.#nextId < lastId;
  }

  /** True where nothing is taken of what is sent: the pod takes nothing of an upload, or the way there is broken. */
  get stuck(): boolean {
    return this.#clock.now() - (this.#outbox.sendingSince ?? Infinity) > stuckLimit;
  }

  /** Streams that somebody uses. */
  get live(): readonly ForwardStream[] {
    return [...this.#streams.values()].filter((stream) => stream.live);
  }

  /** Opens a connection to a port of the pod: all of it is one write, and data may follow at once. */
  connect(port: number): ForwardStream {
    if (this.#error) throw this.#error;
    const errorId = this.#nextId, dataId = errorId + 2;
    const first = errorId === 1;
    this.#nextId += 4;
    const stream = new ForwardStream(dataId, port, this.#host);
    this.#streams.set(dataId, stream);
    const pair = { port: String(port), requestid: String(errorId) };
    this.#outbox.post([
      synStreamFrame(errorId, { streamtype: "error", ...pair }, first),
      dataHead(errorId, 0, finFlag),
      synStreamFrame(dataId, { streamtype: "data", ...pair }, false),
    ]);
    // Most clients speak first, and at once: what they say goes with it then, which spares every hop a message.
    nextTurn().then(() => this.#flush());
    this.#expectReply(stream);
    return stream;
  }

  /** Ends the session and every stream in it, for a reason. */
  close(reason = new StreamError("ECONNABORTED", "The port-forward session was closed")): void {
    this.#end(reason);
  }

  async #receive(): Promise<void> {
    const reader = new BufferedReader(this.#wire, 2 * turnLimit);
    for (let turn = 0;;) {
      if (reader.buffered.length < headLength && !await this.#fill(reader)) return;
      if (reader.buffered.length < headLength) continue;
      const head = parseHead(reader.buffered);
      reader.consume(headLength);
      if (head.control) {
        if (head.length > controlLimit) throw new RangeError(`SPDY control frame of ${head.length} bytes`);
        while (reader.buffered.length < head.length) if (!await this.#fill(reader)) return;
        this.#control(head.type, reader.buffered.subarray(0, head.length));
        reader.consume(head.length);
        if (head.type === frameTypes.goAway) return;
        continue;
      }
      for (let left = head.length; left > 0;) {
        if (reader.buffered.length === 0 && !await this.#fill(reader)) return;
        const chunk = reader.buffered.subarray(0, left);
        left -= chunk.length;
        turn += chunk.length;
        const full = this.#deliver(head.stream, chunk);
        reader.consume(chunk.length);
        if (full) {
          this.#blocked = true;
          await full;
          this.#blocked = false;
          this.#heardAt = this.#clock.now();
        }
        if (turn >= turnLimit) {
          turn = 0;
          await nextTurn();
        }
      }
      if ((head.flags & finFlag) !== 0) this.#finished(head.stream);
    }
  }

  async #fill(reader: BufferedReader): Promise<boolean> {
    const more = await reader.fill();
    this.#heardAt = this.#clock.now();
    return more && this.#error === undefined;
  }

  #deliver(id: number, chunk: Uint8Array): Promise<void> | undefined {
    const stream = this.#streams.get(id);
    if (stream) return stream.deliver(chunk);
    const owner = this.#streams.get(id + 2);
    if (owner) {
      owner.addError(new TextDecoder().decode(chunk));
      return;
    }
    this.#stray += chunk.length;
    if (this.#stray > strayLimit) this.#retire();
  }

  #finished(id: number): void {
    this.#streams.get(id)?.endData();
    this.#streams.get(id + 2)?.endError();
  }

  #control(type: number, payload: Uint8Array): void {
    if (payload.length < 4) return;
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    const id = view.getUint32(0) & 0x7fffffff;
    switch (type) {
      case frameTypes.synReply:
        this.#streams.get(id)?.accept();
        return;
      case frameTypes.ping:
        // Even ids are the server's. One that asks on and on without hearing the answers gets no more of them.
        if (id % 2 === 0 && this.#outbox.waiting < 100) this.#send([pingFrame(id)]).catch(() => {});
        return;
      case frameTypes.rstStream:
        this.#streams.get(id)?.endReset();
        this.#streams.get(id + 2)?.endError();
        return;
    }
  }

  /**
   * True where silence says nothing: a reader stalls, so that nothing can be heard, or the pod takes nothing of an upload, which stops the
   * node from reading on to what was asked.
   */
  get #excused(): boolean {
    return this.#blocked || this.#outbox.sendingSince !== undefined;
  }

  #expectReply(stream: ForwardStream): void {
    stream.expectReply(answerLimit, () => {
      if (this.#excused) return this.#expectReply(stream);
      this.#end(new StreamError("ETIMEDOUT", `the port-forward session did not answer within ${answerLimit / 1000} s`));
    });
  }

  /** Nobody waits for the end of a direction: it goes out with the next connection's beginning where that comes soon. */
  #fin(stream: number): void {
    this.#outbox.post([dataHead(stream, 0, finFlag)]);
    this.#clock.after(finDelay, () => this.#flush());
  }

  #flush(): void {
    if (!this.#error) this.#outbox.flush().catch((error) => this.#end(error));
  }

  #send(parts: readonly Uint8Array[]): Promise<void> {
    if (this.#error) return Promise.reject(this.#error);
    const sent = this.#outbox.send(parts);
    sent.catch((error) => this.#end(error));
    return sent;
  }

  #cancel(id: number): void {
    const { stuck } = this;
    this.#send([rstStreamFrame(id, cancel)]).catch(() => {});
    // The server may go on sending for a second: after a large download that is too much for the next connection to wait behind. And where
    // it takes nothing, it does not hear this either.
    if (stuck || (this.#streams.get(id)?.received ?? 0) > strayLimit) this.#retire();
  }

  #changed(stream: ForwardStream): void {
    this.idleSince = this.#clock.now();
    if (stream.ended) {
      this.#streams.delete(stream.id);
      // The node's SPDY library (moby/spdystream) has five workers for all streams. The one that holds bytes which nobody reads any more waits
      // for ever, and with it every fifth stream to come.
      if (stream.unread) this.#retire();
    }
    if (this.#error) return;
    if (this.#nextId >= lastId && this.#streams.size === 0) return this.close();
    this.#events.onChange(this);
  }

  #ping(): void {
    const asked = this.#clock.now();
    this.#send([pingFrame(this.#pingId)]).catch(() => {});
    this.#pingId = (this.#pingId + 2) & 0x7fffffff;
    this.#stopTimer = this.#clock.after(answerLimit, () => {
      if (this.#heardAt < asked && !this.#excused) {
        return this.#end(
          new StreamError("ETIMEDOUT", `the port-forward session has been silent for ${answerLimit / 1000} s`),
        );
      }
      this.#stopTimer = this.#clock.after(pingInterval - answerLimit, () => this.#ping());
    });
  }

  /** Takes no more streams, and ends with its last. */
  #retire(): void {
    this.#nextId = lastId;
    if (this.#streams.size === 0) this.close();
  }

  #end(error: Error): void {
    if (this.#error) return;
    this.#error = error;
    this.#stopTimer();
    this.#wire.close();
    const failure = error instanceof StreamError ? error : new StreamError("ECONNRESET", error.message);
    this.#log.debug(`port-forward session ended: ${error.message}`);
    for (const stream of [...this.#streams.values()]) stream.fail(failure);
    this.#streams.clear();
    this.#events.onEnd(this, error);
  }
}
