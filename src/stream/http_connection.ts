import type { ClientConnection } from "./client_connection.ts";
import { concatBytes } from "./concat_bytes.ts";
import { errorPage, type Page } from "./error_page.ts";
import { keepsAlive } from "./http_body.ts";
import { type ExchangeFailure, type ForwardedRequest, HttpExchange } from "./http_exchange.ts";
import { formatResponseHead, type HeaderList, HeadError, parseRequestHead, type RequestHead } from "./http_head.ts";
import { KeptUpstreams, type Upstream } from "./kept_upstreams.ts";

/** How long a server waits for its clients, in milliseconds. */
export interface HttpPatience {
  /** For a client to say what it wants: its handshake, the head of its request. */
  readonly handshake: number;
  /** For the next request on a kept-alive connection. */
  readonly idle: number;
}

/** What comes next on a client's connection: perhaps another request; the end, once the client has taken its last answer; nothing. */
export type Next = "request" | "linger" | "end";

/** An exchange that failed, for the caller to try elsewhere, or to answer for. */
export interface FailedExchange extends ExchangeFailure {
  readonly exchange: HttpExchange;
}

/** Bytes that a request's head may have. */
const headLimit = 65536;

/** Methods that may be sent a second time when nobody knows what became of the first (RFC 9110 §9.2.2). */
const idempotent = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** A client's connection that speaks HTTP/1 (RFC 9110, RFC 9112), with keep-alive and pipelining. */
export class HttpConnection {
  /** Connections to destinations, for the next requests. */
  readonly kept: KeptUpstreams;
  readonly #connection: ClientConnection;
  readonly #patience: HttpPatience;
  readonly #takes: string;
  /** Settles once nothing reads a request's body any more. */
  #reading: Promise<void> | undefined;

  /** `takes` says what the port takes, to those who send something else: `HTTP/1`. */
  constructor(connection: ClientConnection, patience: HttpPatience, takes: string) {
    this.#connection = connection;
    this.#patience = patience;
    this.#takes = takes;
    this.kept = new KeptUpstreams(connection.clock);
  }

  /**
   * Reads request after request and has each answered by `handle`, which may throw a `HeadError` for one that cannot be understood. Resolves
   * when nothing more is to be said on the connection, which the caller then closes.
   */
  async serve(handle: (head: RequestHead) => Promise<Next>): Promise<void> {
    let next: Next = "request";
    try {
      while (next === "request") next = await this.#waitForRequest() ? await this.#serveOne(handle) : "end";
    } finally {
      this.kept.close();
    }
    if (next === "linger") await this.#connection.linger(this.#reading);
  }

  /** Gives an error of our own to a request of which nothing more is to be read. `head` is undefined where it could not be understood. */
  async refuse(status: number, sentence: string, head?: RequestHead, headers: HeaderList = []): Promise<Next> {
    return await this.answer(errorPage(status, sentence, head?.headers ?? [], headers), head, false);
  }

  /**
   * Gives an answer of our own. The connection lives on where the client wants it and nothing of the request is left in it; `exchange` is
   * the one that may still read from it.
   */
  async answer(
    page: Page,
    head: RequestHead | undefined,
    bodyRead: boolean,
    exchange?: HttpExchange,
  ): Promise<Next> {
    const lives = head !== undefined && bodyRead && keepsAlive(head) && !this.#connection.closing;
    const headers: HeaderList = [...page.head.headers, ["Connection", lives ? "keep-alive" : "close"]];
    const bytes = formatResponseHead({ ...page.head, headers });
    try {
      await this.#connection.client.write(head?.method === "HEAD" ? bytes : concatBytes([bytes, page.body]));
    } catch {
      return "end";
    }
    this.#reading = exchange?.uploadEnds();
    return lives ? "request" : "linger";
  }

  /** Has a request answered through `upstream`, which is kept under `key` where it may carry another. */
  async exchange(request: ForwardedRequest, upstream: Upstream, key: string): Promise<Next | FailedExchange> {
    const exchange = new HttpExchange(this.#connection, request, upstream);
    const end = await exchange.run();
    switch (end.kind) {
      case "answered":
        if (end.upstreamLives) this.kept.put(key, upstream);
        this.#reading = exchange.uploadEnds();
        return end.clientLives ? "request" : "linger";
      case "failed":
        return { ...end, exchange };
      case "malformed":
        return await this.refuse(400, end.error.message, request.head);
      case "over":
        return "end";
    }
  }

  /** Waits for the first byte of a request; false when the client has none. */
  async #waitForRequest(): Promise<boolean> {
    const { reader } = this.#connection;
    this.#connection.expire(this.#patience.idle, "no further request");
    try {
      do {
        // RFC 9112 §2.2: empty lines before a request are to be ignored.
        while (reader.buffered[0] === 13 || reader.buffered[0] === 10) reader.consume(1);
        if (reader.buffered.length > 0) return true;
      } while (await reader.fill());
    } catch {
      // Broken: no request either.
    }
    return false;
  }

  async #serveOne(handle: (head: RequestHead) => Promise<Next>): Promise<Next> {
    const { reader } = this.#connection;
    this.#connection.expire(this.#patience.handshake, "its request does not come to an end");
    let head: RequestHead;
    try {
      const bytes = await reader.head(headLimit);
      if (bytes === null) return "end";
      head = parseRequestHead(bytes);
    } catch (error) {
      if (error instanceof RangeError) {
        return await this.refuse(431, `The head of this request has more than ${headLimit} bytes`);
      }
      if (error instanceof HeadError) {
        return await this.refuse(400, `${error.message}. This port takes ${this.#takes}`);
      }
      return "end";
    }
    try {
      return await handle(head);
    } catch (error) {
      if (error instanceof HeadError) return await this.refuse(400, error.message, head);
      throw error;
    }
  }
}

/** True for a request that may be sent a second time, and still can be: none of it has been taken from the client's connection. */
export function isRepeatable({ head, framing }: Pick<ForwardedRequest, "head" | "framing">): boolean {
  return framing.kind === "none" && idempotent.has(head.method);
}
