import type { Clock } from "../platform/clock.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import type { Duplex } from "../stream/duplex.ts";
import { keepsAlive, openBody, responseFraming } from "../stream/http_body.ts";
import { formatRequestHead, parseResponseHead, type RequestHead, type ResponseHead } from "../stream/http_head.ts";

/** One request and the patience for its answer. */
export interface HttpRequest {
  readonly head: RequestHead;
  /** Empty for none; `head` says its length. */
  readonly body: Uint8Array;
  /** Milliseconds of silence after which the answer is given up. */
  readonly patience: number;
}

/** An answer whose head is in. Its body must be read to the end, or the exchange be closed. */
export interface HttpExchange {
  readonly head: ResponseHead;
  /** Reads the body; null at its end, which gives the connection back. */
  read(into: Uint8Array): Promise<number | null>;
  /** From now on this much silence is borne, in milliseconds. */
  setPatience(ms: number): void;
  /** Gives the answer up, and the connection with it. */
  close(): void;
}

/** No byte came for as long as the request had patience. */
export class SilenceError extends Error {
  override readonly name = "SilenceError";
}

const idleLimit = 6;
/** Below what API servers and load balancers grant, so that it is mostly us who close. */
const idleTime = 30_000;
/** A connection that died unnoticed, as in a laptop's sleep, must not cost the whole patience. */
const keptPatience = 5_000;
const headLimit = 65536;

/**
 * HTTP/1.1 to one server over kept connections (RFC 9112). A request that fails on a connection from the pool before a byte of the answer came is
 * sent once more on a new one, if it may be (RFC 9110 §9.2.2).
 */
export class HttpPool {
  readonly #connect: (signal: AbortSignal) => Promise<Duplex>;
  readonly #clock: Clock;
  readonly #idle: Connection[] = [];
  readonly #busy = new Set<Exchange>();
  #closed = false;

  constructor(connect: (signal: AbortSignal) => Promise<Duplex>, deps: { readonly clock: Clock }) {
    this.#connect = connect;
    this.#clock = deps.clock;
  }

  /** Sends a request and waits for the head of its answer. Rejects with what `connect` rejects with, the socket's error, {@linkcode SilenceError} or the signal's reason. */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpExchange> {
    signal.throwIfAborted();
    const kept = this.#idle.pop();
    if (kept) {
      const repeatable = ["GET", "HEAD", "PUT", "DELETE"].includes(request.head.method);
      const patience = repeatable ? Math.min(keptPatience, request.patience) : request.patience;
      try {
        const exchange = await this.#attempt(kept, { ...request, patience }, signal);
        exchange.setPatience(request.patience);
        return exchange;
      } catch (error) {
        if (!repeatable || kept.answered || signal.aborted || this.#closed) throw error;
      }
    }
    return await this.#attempt(new Connection(await this.#connect(signal)), request, signal);
  }

  /** Closes the connections that carry nothing now: new requests get new ones. */
  clear(): void {
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  /** Closes all connections; requests under way fail. */
  drop(): void {
    this.clear();
    for (const exchange of [...this.#busy]) exchange.close();
  }

  /** Closes everything for good; requests under way fail. */
  close(): void {
    this.#closed = true;
    this.drop();
  }

  async #attempt(connection: Connection, request: HttpRequest, signal: AbortSignal): Promise<HttpExchange> {
    const exchange = new Exchange(connection, request.patience, this.#clock, signal, (reusable) => {
      this.#busy.delete(exchange);
      if (reusable) this.#keep(connection);
    });
    this.#busy.add(exchange);
    if (this.#closed) exchange.close();
    await exchange.start(request);
    return exchange;
  }

  #keep(connection: Connection): void {
    if (this.#closed || this.#idle.length >= idleLimit) return connection.close();
    this.#idle.push(connection);
    const leave = () => {
      const at = this.#idle.indexOf(connection);
      if (at < 0) return;
      this.#idle.splice(at, 1);
      connection.close();
    };
    connection.rest(this.#clock.after(idleTime, leave), leave);
  }
}

/** A connection and what was read of it. */
class Connection {
  readonly stream: Duplex;
  readonly reader: BufferedReader;
  /** A byte of the present answer has come. */
  answered = false;
  #resting: { readonly more: Promise<boolean>; readonly wake: () => void } | undefined;

  constructor(stream: Duplex) {
    this.stream = stream;
    this.reader = new BufferedReader(stream, headLimit);
  }

  /** While it rests it is read, as that is how one learns that the server has closed it: `gone` is called then. */
  rest(wake: () => void, gone: () => void): void {
    const more = this.reader.fill();
    more.then(gone, gone);
    this.#resting = { more, wake };
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#resting?.wake();
    this.answered = false;
    await this.stream.write(bytes);
  }

  async head(): Promise<ResponseHead> {
    const resting = this.#resting;
    this.#resting = undefined;
    if (resting && !await resting.more) throw unanswered();
    for (;;) {
      const bytes = await this.reader.head();
      if (bytes === null) throw unanswered();
      this.answered = true;
      const head = parseResponseHead(bytes);
      if (head.status >= 200 || head.status === 101) return head;
    }
  }

  close(): void {
    this.#resting?.wake();
    this.stream.close();
  }
}

function unanswered(): Error {
  return new Error("it was closed instead of an answer");
}

class Exchange implements HttpExchange {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #done: (reusable: boolean) => void;
  readonly #abort = () => this.#fail(this.#signal.reason);
  #patience: number;
  #head: ResponseHead | undefined;
  #body: ReturnType<typeof openBody> | undefined;
  #broken: { readonly reason: unknown } | undefined;
  #over = false;

  constructor(
    connection: Connection,
    patience: number,
    clock: Clock,
    signal: AbortSignal,
    done: (reusable: boolean) => void,
  ) {
    this.#connection = connection;
    this.#patience = patience;
    this.#clock = clock;
    this.#signal = signal;
    this.#done = done;
  }

  get head(): ResponseHead {
    if (!this.#head) throw new TypeError("The answer has not begun");
    return this.#head;
  }

  setPatience(ms: number): void {
    this.#patience = ms;
  }

  async start({ head, body }: HttpRequest): Promise<void> {
    this.#signal.addEventListener("abort", this.#abort, { once: true });
    if (this.#signal.aborted) this.#abort();
    const first = formatRequestHead(head);
    const message = new Uint8Array(first.length + body.length);
    message.set(first);
    message.set(body, first.length);
    this.#head = await this.#bounded(async () => {
      await this.#connection.write(message);
      return await this.#connection.head();
    });
    this.#body = openBody(this.#connection.reader, responseFraming(this.#head, head.method));
    if (head.method !== "HEAD" && responseFraming(this.#head, head.method).kind !== "none") return;
    this.#finish(keepsAlive(this.#head));
  }

  async read(into: Uint8Array): Promise<number | null> {
    const body = this.#body;
    if (!body || this.#over) {
      this.#throwIfBroken();
      return null;
    }
    const count = await this.#bounded(() => body.read(into));
    if (count === null) this.#finish(keepsAlive(this.head) && responseFraming(this.head, "GET").kind !== "close");
    return count;
  }

  close(): void {
    this.#fail(new Error("The connection was closed"));
  }

  /** Runs one step; silence, an abort or a failure ends the exchange. */
  async #bounded<T>(step: () => Promise<T>): Promise<T> {
    const cancel = this.#clock.after(this.#patience, () => {
      this.#fail(new SilenceError(`no answer within ${this.#patience / 1000} s`));
    });
    try {
      this.#throwIfBroken();
      const result = await step();
      // A reset may look like an end to the reader.
      this.#throwIfBroken();
      return result;
    } catch (error) {
      this.#fail(error);
      this.#throwIfBroken();
      throw error;
    } finally {
      cancel();
    }
  }

  #throwIfBroken(): void {
    if (this.#broken) throw this.#broken.reason;
  }

  #fail(reason: unknown): void {
    if (this.#over) return;
    this.#broken = { reason };
    this.#connection.stream.reset();
    this.#finish(false);
  }

  #finish(reusable: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#signal.removeEventListener("abort", this.#abort);
    if (!reusable) this.#connection.close();
    this.#done(reusable);
  }
}
