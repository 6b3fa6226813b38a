import type { Duplex } from "../stream/duplex.ts";
import { keepsAlive, openBody, requestFraming } from "../stream/http_body.ts";
import {
  formatResponseHead,
  header,
  type HeaderList,
  HeadError,
  parseRequestHead,
  type RequestHead,
} from "../stream/http_head.ts";
import { DialError } from "../tunnel/dialer.ts";
import type { Connection } from "./connection.ts";
import { controlBodyLimit, controlPage } from "./control_pages.ts";
import { equalSecret } from "./equal_secret.ts";
import { dialErrorPage, errorPage, type Page } from "./error_page.ts";
import { parseAbsoluteTarget } from "./forwarded_head.ts";
import { parseHostPort } from "./host_name.ts";
import { type ForwardedRequest, HttpExchange } from "./http_exchange.ts";
import { KeptUpstreams, Upstream } from "./kept_upstreams.ts";
import type { Route } from "./route.ts";

/** Bytes that a request's head may have. */
const headLimit = 65536;

/** Methods that may be sent a second time when nobody knows what became of the first (RFC 9110 §9.2.2). */
const idempotent = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** Whether a client's connection has another request before it. */
type Next = "request" | "end";

/**
 * Serves a client that speaks HTTP/1 (RFC 9110, RFC 9112): CONNECT to any port, requests in absolute form with keep-alive, pipelining and
 * upgrades, and the tool's own pages in origin form. Resolves when nothing more is to be said on the connection.
 */
export async function serveHttp(connection: Connection): Promise<void> {
  const http = new HttpConnection(connection);
  try {
    while (await http.waitForRequest() && await http.serveOne() === "request");
  } finally {
    http.close();
  }
}

class HttpConnection {
  readonly #connection: Connection;
  readonly #kept: KeptUpstreams;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#kept = new KeptUpstreams(connection.door.clock);
  }

  close(): void {
    this.#kept.close();
  }

  /** Waits for the first byte of a request; false when the client has none. */
  async waitForRequest(): Promise<boolean> {
    const { reader, door } = this.#connection;
    this.#connection.expire(door.patience.idle, "no further request");
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

  async serveOne(): Promise<Next> {
    const { reader, door } = this.#connection;
    this.#connection.expire(door.patience.handshake, "its request does not come to an end");
    let head: RequestHead;
    try {
      const bytes = await reader.head(headLimit);
      if (bytes === null) return "end";
      head = parseRequestHead(bytes);
    } catch (error) {
      if (error instanceof RangeError) {
        return await this.#refuse(431, `The head of this request has more than ${headLimit} bytes`);
      }
      if (error instanceof HeadError) {
        return await this.#refuse(400, `${error.message}. This port takes HTTP/1, SOCKS4 and SOCKS5`);
      }
      return "end";
    }
    try {
      if (head.target.startsWith("/") || head.target === "*") return await this.#control(head);
      this.#connection.settle();
      if (!this.#isAuthorized(head)) return await this.#askForPassword(head);
      return head.method === "CONNECT" ? await this.#connect(head) : await this.#forward(head);
    } catch (error) {
      if (error instanceof HeadError) return await this.#refuse(400, error.message, head);
      throw error;
    }
  }

  async #control(head: RequestHead): Promise<Next> {
    const { reader, door } = this.#connection;
    const framing = requestFraming(head);
    const body = openBody(reader, framing);
    const bytes = new Uint8Array(framing.kind === "none" ? 0 : controlBodyLimit + 1);
    let length = 0;
    try {
      for (let count; length < bytes.length && (count = await body.read(bytes.subarray(length))) !== null;) {
        length += count;
      }
    } catch (error) {
      if (error instanceof HeadError || error instanceof RangeError) {
        return await this.#refuse(400, error.message, head);
      }
      return "end";
    }
    if (length > controlBodyLimit) {
      return await this.#refuse(413, `hawser takes at most ${controlBodyLimit} bytes`, head);
    }
    this.#connection.settle();
    return await this.#answer(await controlPage(head, bytes.subarray(0, length), door), head, true);
  }

  #isAuthorized(head: RequestHead): boolean {
    const { credentials } = this.#connection.door;
    if (!credentials) return true;
    const basic = /^Basic +(\S+)$/i.exec(header(head.headers, "proxy-authorization") ?? "")?.[1];
    return equalSecret(btoa(`${credentials.username}:${credentials.password}`), basic ?? "");
  }

  async #askForPassword(head: RequestHead): Promise<Next> {
    const sentence =
      'This hawser was started with --auth: give your program the user and password that "hawser env" prints';
    return await this.#refuse(407, sentence, head, [["Proxy-Authenticate", 'Basic realm="hawser"']]);
  }

  async #connect(head: RequestHead): Promise<Next> {
    const target = parseHostPort(head.target);
    if (!target) return await this.#refuse(400, `CONNECT takes HOST:PORT, not ${quote(head.target)}`, head);
    let upstream: Duplex;
    try {
      // Whoever asks for a tunnel mostly speaks TLS in it, but plain HTTP to port 80 (Node's fetch does).
      const route = await this.#connection.route(target, target.port === 80 ? "tcp" : "https");
      upstream = await this.#connection.dial(route, target, false);
    } catch (error) {
      return await this.#refuseDial(error, head);
    }
    const established = { minor: 1, status: 200, reason: "Connection established", headers: [] };
    if (await this.#write(formatResponseHead(established))) await this.#connection.tunnel(upstream);
    else upstream.reset();
    return "end";
  }

  async #forward(head: RequestHead): Promise<Next> {
    const target = parseAbsoluteTarget(head.target);
    if (!target) {
      const advice = /^(https|wss):/i.test(head.target) ? "is to be asked for by CONNECT" : "is not an http:// URL";
      return await this.#refuse(400, `A proxy cannot serve this request: ${quote(head.target)} ${advice}`, head);
    }
    const framing = requestFraming(head);
    let route: Route;
    try {
      route = await this.#connection.route(target, "http");
    } catch (error) {
      return await this.#refuseDial(error, head);
    }
    const request: ForwardedRequest = { head, target, framing, httpProxy: route.httpProxy };
    const key = `${route.via} ${target.host.toLowerCase()}:${target.port}`;
    const kept = this.#kept.take(key);
    if (kept) {
      const next = await this.#exchange(request, kept, key, true);
      if (next !== "stale") return next;
      // What may not be sent twice is left to the client, which sees what it would have seen without us.
      if (framing.kind !== "none" || !idempotent.has(head.method)) return "end";
    }
    let stream: Duplex;
    try {
      stream = await this.#connection.dial(route, target, true);
    } catch (error) {
      return await this.#refuseDial(error, head);
    }
    const next = await this.#exchange(request, new Upstream(stream), key, false);
    return next === "stale" ? "end" : next;
  }

  /** Has a request answered; `stale` when a `kept` connection had been closed in the meantime. */
  async #exchange(request: ForwardedRequest, upstream: Upstream, key: string, kept: boolean): Promise<Next | "stale"> {
    const exchange = new HttpExchange(this.#connection, request, upstream);
    const end = await exchange.run();
    switch (end.kind) {
      case "answered":
        if (end.upstreamLives) this.#kept.put(key, upstream);
        if (end.clientLives) return "request";
        await this.#connection.linger(exchange.uploadEnds());
        return "end";
      case "failed":
        if (kept && end.silent) return "stale";
        return await this.#answer(
          dialErrorPage(end.error, request.head.headers),
          request.head,
          exchange.bodyRead,
          exchange,
        );
      case "malformed":
        return await this.#refuse(400, end.error.message, request.head);
      case "over":
        return "end";
    }
  }

  async #refuseDial(error: unknown, head: RequestHead): Promise<Next> {
    if (!(error instanceof DialError)) throw error;
    const bodyRead = head.method !== "CONNECT" && requestFraming(head).kind === "none";
    return await this.#answer(dialErrorPage(error, head.headers), head, bodyRead);
  }

  async #refuse(status: number, sentence: string, head?: RequestHead, headers: HeaderList = []): Promise<Next> {
    return await this.#answer(errorPage(status, sentence, head?.headers ?? [], headers), head, false);
  }

  /** Gives an answer of our own. The connection lives on where the client wants it and nothing of the request is left in it. */
  async #answer(page: Page, head: RequestHead | undefined, bodyRead: boolean, exchange?: HttpExchange): Promise<Next> {
    const lives = head !== undefined && bodyRead && keepsAlive(head);
    const headers: HeaderList = [...page.head.headers, ["Connection", lives ? "keep-alive" : "close"]];
    const bytes = formatResponseHead({ ...page.head, headers });
    if (!await this.#write(head?.method === "HEAD" ? bytes : concat(bytes, page.body))) return "end";
    if (lives) return "request";
    await this.#connection.linger(exchange?.uploadEnds());
    return "end";
  }

  async #write(bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#connection.client.write(bytes);
      return true;
    } catch {
      return false;
    }
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
