import type { Clock } from "../platform/clock.ts";
import { ByteQueue } from "../stream/byte_queue.ts";
import type { Duplex } from "../stream/duplex.ts";

/** A connection inside a session broke. `code` is Node's, so that every side of a relay reads it alike. */
export class StreamError extends Error {
  override readonly name = "StreamError";
  /**
   * - `ECONNREFUSED` the pod does not listen on that port: no byte has reached a program;
   * - `EHOSTUNREACH` the pod is gone: no byte has reached a program either;
   * - `ECONNRESET` the pod's side broke off;
   * - `ETIMEDOUT` the session gave no sign of life;
   * - `ECONNABORTED` it was ended here.
   */
  readonly code: "ECONNREFUSED" | "EHOSTUNREACH" | "ECONNRESET" | "ETIMEDOUT" | "ECONNABORTED";
  constructor(code: StreamError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** What a stream needs of its session. */
export interface StreamHost {
  readonly clock: Clock;
  /** Sends a data frame; resolves once `data` may be reused. */
  data(stream: number, data: Uint8Array): Promise<void>;
  /** Tells the server, soon, that our direction has ended. */
  fin(stream: number): void;
  /** Tells the server that the stream is not wanted any more. */
  cancel(stream: number): void;
  /** The stream's state changed: it has become silent, or has ended on both sides. */
  changed(stream: ForwardStream): void;
}

/** How much may wait for a slow reader before the session stops reading: port-forward has no flow control of its own. */
const queueLimit = 128 * 1024;
const frameLimit = 64 * 1024;
/** A pod that has answered and then says nothing for so long is taken to be done with a client that has ended; the session adds 50 ms to both. */
const answeredLinger = 50;
/** A pod that owes an answer, or goes on sending, to a client that has ended its direction only. */
const unansweredLinger = 9_950;
/** The runtime ends both directions 1 s after either has ended; silence for so long says that it does not. */
const afterFin = 3_000;
/** What was sent so shortly before the end of a stream may have come when the runtime read no more. */
const unreadLimit = 1_000;

/**
 * One TCP connection to a pod's port: a pair of SPDY streams. Container runtimes cut everything one second after either side has ended, so
 * the end of our direction is held back while the pod may still have something to say.
 */
export class ForwardStream implements Duplex {
  /** Id of the data stream; that of the error stream is two less. */
  readonly id: number;
  readonly port: number;
  /** Bytes from the pod. */
  received = 0;
  /** Bytes to the pod. */
  sent = 0;
  /** When bytes last moved, by the clock's `now`. */
  activeAt: number;
  #sentAt = -Infinity;
  readonly #host: StreamHost;
  readonly #arrived = new ByteQueue();
  #room: (() => void) | undefined;
  #errorText = "";
  #dataEnded = false;
  #errorEnded = false;
  #localEnded = false;
  #finSent = false;
  #closed = false;
  #failure: StreamError | undefined;
  #timer: (() => void) | undefined;
  #stopReplyTimer: (() => void) | undefined;
  #replied = false;
  /** Both sides are taken to be done; only the end is waited for. */
  #settling = false;
  /** The last that happened was that the pod spoke. */
  #answered = false;
  readonly #confirmations: Array<(error?: StreamError) => void> = [];

  constructor(id: number, port: number, host: StreamHost) {
    this.id = id;
    this.port = port;
    this.#host = host;
    this.activeAt = host.clock.now();
  }

  /** False once nobody on our side uses the stream any more, or uses it only to hear the end: the session may serve another. */
  get live(): boolean {
    return !this.#settling && !this.ended;
  }

  /** True once both sides have ended or the stream has failed. */
  get ended(): boolean {
    return this.#failure !== undefined || (this.#dataEnded && this.#errorEnded) || this.#closed;
  }

  /** True where bytes wait that nobody reads: whoever shares the session would wait behind them. */
  get stalled(): boolean {
    return this.#room !== undefined;
  }

  /** True where the pod may never have read what was sent last, as the stream had ended there, was refused, or was given up here. */
  get unread(): boolean {
    const late = this.#host.clock.now() - this.#sentAt < unreadLimit || this.#failure?.code === "ETIMEDOUT";
    return this.sent > 0 && !this.#answered && late;
  }

  /** True once the server has accepted the stream, which says nothing yet about the pod. */
  get replied(): boolean {
    return this.#replied;
  }

  /** Resolves with undefined at the first sign that the connection stands (data, or acceptance and `grace` ms without an error), else with the error. */
  confirmed(grace: number): Promise<StreamError | undefined> {
    return new Promise((resolve) => {
      if (this.#failure || this.received > 0 || this.ended) return resolve(this.#failure);
      let cancelTimer: (() => void) | undefined;
      const arm = () => cancelTimer ??= this.#host.clock.after(grace, () => settle());
      const settle = (error?: StreamError) => {
        cancelTimer?.();
        resolve(error);
      };
      this.#confirmations.push((error) => error || this.received > 0 || this.ended ? settle(error) : arm());
      if (this.#replied) arm();
    });
  }

  read(into: Uint8Array): Promise<number | null> {
    const read = this.#arrived.read(into);
    if (this.#room && this.#arrived.size <= queueLimit / 2) this.#makeRoom();
    return read;
  }

  async write(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; at += frameLimit) {
      if (this.#failure) throw this.#failure;
      if (this.#finSent || this.ended) {
        throw new StreamError("ECONNRESET", `The pod has closed the connection to port ${this.port}`);
      }
      const piece = data.subarray(at, at + frameLimit);
      this.sent += piece.length;
      this.activeAt = this.#sentAt = this.#host.clock.now();
      this.#answered = false;
      await this.#host.data(this.id, piece).catch((error) => {
        throw this.#failure ?? error; // the session may end because this stream has
      });
    }
  }

  closeWrite(): Promise<void> {
    if (!this.#localEnded && !this.ended) {
      this.#localEnded = true;
      this.#linger();
      this.#host.changed(this);
    }
    return Promise.resolve();
  }

  reset(): void {
    if (this.ended) return this.close();
    this.#host.cancel(this.id);
    this.fail(new StreamError("ECONNABORTED", `The connection to port ${this.port} was ended`));
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    const open = !this.ended;
    if (open) this.#host.cancel(this.id);
    this.#closed = true;
    this.#timer?.();
    this.#arrived.clear();
    this.#arrived.end();
    this.#makeRoom();
    this.#confirm();
    this.#host.changed(this);
  }

  /** Calls `onSilence` where the server has not accepted the stream within `ms`. */
  expectReply(ms: number, onSilence: () => void): void {
    this.#stopReplyTimer = this.#host.clock.after(ms, onSilence);
  }

  /** The server accepted the stream. */
  accept(): void {
    this.#replied = true;
    this.#confirm();
  }

  /**
   * Takes data from the pod; the chunk may be reused as soon as this returns. The promise, where there is one, resolves when there is room
   * for more.
   */
  deliver(chunk: Uint8Array): Promise<void> | undefined {
    if (this.ended) return;
    this.received += chunk.length;
    this.activeAt = this.#host.clock.now();
    this.#answered = true;
    if (this.received === chunk.length) this.#confirm();
    if (this.#localEnded) this.#linger(unansweredLinger);
    this.#arrived.push(chunk);
    if (this.#arrived.size < queueLimit) return;
    return new Promise((resolve) => this.#room = resolve);
  }

  /** The pod's direction has ended. Whether in good order, the error stream tells in the same burst. */
  endData(): void {
    this.#dataEnded = true;
    this.#settle();
  }

  /** Text on the error stream: why the connection failed. */
  addError(text: string): void {
    if (this.#errorText.length < 4096) this.#errorText += text.slice(0, 4096);
  }

  /** The error stream has ended. */
  endError(): void {
    // Text makes it a failure, so it must not look like an end in good order first.
    if (this.#errorText) return this.fail(streamError(this.#errorText, this.port, this.received));
    this.#errorEnded = true;
    this.#settle();
  }

  /** The node has reset the stream; the error stream may have said why. */
  endReset(): void {
    this.fail(
      this.#errorText
        ? streamError(this.#errorText, this.port, this.received)
        : new StreamError("ECONNRESET", "the node reset the connection"),
    );
  }

  /** The connection is broken: readers get what has arrived, then the error. */
  fail(error: StreamError): void {
    if (this.ended) return;
    this.#failure = error;
    this.#timer?.();
    this.#arrived.end(error);
    this.#makeRoom();
    this.#confirm();
    this.#host.changed(this);
  }

  #settle(): void {
    if (!this.#dataEnded || !this.#errorEnded) return;
    this.#timer?.();
    this.#arrived.end();
    this.#confirm();
    this.#host.changed(this);
  }

  /** Lets the session go on that waits for a slow reader. */
  #makeRoom(): void {
    const room = this.#room;
    this.#room = undefined;
    room?.();
  }

  #confirm(): void {
    this.#stopReplyTimer?.();
    for (const each of this.#confirmations) each(this.#failure);
  }

  /** Ends our direction in `ms`, unless the pod speaks before. */
  #linger(ms = this.#answered ? answeredLinger : unansweredLinger): void {
    this.#timer?.();
    if (this.#finSent) return this.#awaitEnd();
    this.#settling = ms === answeredLinger;
    this.#timer = this.#host.clock.after(ms, () => {
      this.#finSent = true;
      this.#host.fin(this.id);
      this.#awaitEnd();
    });
  }

  #awaitEnd(): void {
    this.#timer = this.#host.clock.after(afterFin, () => {
      // The end may wait behind what nobody reads.
      if (this.stalled) return this.#awaitEnd();
      this.#host.cancel(this.id);
      // Not an end in good order: nobody knows whether everything has come.
      this.fail(new StreamError("ETIMEDOUT", `the node did not end the connection to port ${this.port}`));
    });
  }
}

/** What containerd puts before the reason: ids and paths of its own. */
const preamble =
  /^error forwarding port \d+ to pod \w+, uid : (failed to execute portforward in network namespace "[^"]*": )?/;

/** Words of containerd and CRI-O on the error stream. */
function streamError(text: string, port: number, received: number): StreamError {
  const said = text.trim().replace(/\s+/g, " ");
  if (received === 0 && /refused|failed to connect|failed to dial|cannot assign requested address/i.test(said)) {
    return new StreamError("ECONNREFUSED", `nothing listens on port ${port} in the pod`);
  }
  if (received === 0 && /sandbox .*(not found|not running|closed)/i.test(said)) {
    return new StreamError("EHOSTUNREACH", "the pod is gone");
  }
  return new StreamError(
    "ECONNRESET",
    `the pod broke off the connection to port ${port}: ${said.replace(preamble, "")}`,
  );
}
