import type { ProxySetting } from "../platform/proxy_settings.ts";
import { equalSecret } from "../platform/equal_secret.ts";
import type { Duplex } from "../stream/duplex.ts";
import { openBody, requestFraming } from "../stream/http_body.ts";
import { type FailedExchange, HttpConnection, isRepeatable, type Next } from "../stream/http_connection.ts";
import type { ForwardedRequest } from "../stream/http_exchange.ts";
import { formatResponseHead, header, HeadError, type RequestHead, type ResponseHead } from "../stream/http_head.ts";
import { Upstream } from "../stream/kept_upstreams.ts";
import { DialError } from "../tunnel/dialer.ts";
import type { Connection } from "./connection.ts";
import { controlBodyLimit, controlPage } from "./control_pages.ts";
import { dialErrorPage } from "./dial_error_page.ts";
import { forwardedRequestHead, parseAbsoluteTarget } from "./forwarded_head.ts";
import { parseHostPort } from "./host_name.ts";
import type { Route } from "./route.ts";

/**
 * Serves a client that speaks HTTP/1 (RFC 9110, RFC 9112): CONNECT to any port, requests in absolute form with keep-alive, pipelining and
 * upgrades, and the tool's own pages in origin form. Resolves when nothing more is to be said on the connection.
 */
export async function serveHttp(connection: Connection): Promise<void> {
  const http = new HttpConnection(connection, connection.door.patience, "HTTP/1, SOCKS4 and SOCKS5");
  const client = new ProxyClient(connection, http);
  await http.serve((head) => client.serve(head));
}

class ProxyClient {
  readonly #connection: Connection;
  readonly #http: HttpConnection;

  constructor(connection: Connection, http: HttpConnection) {
    this.#connection = connection;
    this.#http = http;
  }

  async serve(head: RequestHead): Promise<Next> {
    if (head.target.startsWith("/") || head.target === "*") return await this.#control(head);
    this.#connection.settle();
    if (!this.#isAuthorized(head)) return await this.#askForPassword(head);
    return head.method === "CONNECT" ? await this.#connect(head) : await this.#forward(head);
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
        return await this.#http.refuse(400, error.message, head);
      }
      return "end";
    }
    if (length > controlBodyLimit) {
      return await this.#http.refuse(413, `hawser takes at most ${controlBodyLimit} bytes`, head);
    }
    this.#connection.settle();
    return await this.#http.answer(await controlPage(head, bytes.subarray(0, length), door), head, true);
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
    return await this.#http.refuse(407, sentence, head, [["Proxy-Authenticate", 'Basic realm="hawser"']]);
  }

  async #connect(head: RequestHead): Promise<Next> {
    const target = parseHostPort(head.target);
    if (!target) return await this.#http.refuse(400, `CONNECT takes HOST:PORT, not ${quote(head.target)}`, head);
    let upstream: Duplex;
    try {
      // Whoever asks for a tunnel mostly speaks TLS in it, but plain HTTP to port 80 (Node's fetch does).
      upstream = await this.#connection.open(target, target.port === 80 ? "tcp" : "https");
    } catch (error) {
      return await this.#refuseDial(error, head);
    }
    const established = { minor: 1, status: 200, reason: "Connection established", headers: [] };
    try {
      await this.#connection.client.write(formatResponseHead(established));
    } catch {
      upstream.reset();
      return "end";
    }
    await this.#connection.tunnel(upstream);
    return "end";
  }

  async #forward(head: RequestHead): Promise<Next> {
    const target = parseAbsoluteTarget(head.target);
    if (!target) {
      const advice = /^(https|wss):/i.test(head.target) ? "is to be asked for by CONNECT" : "is not an http:// URL";
      return await this.#http.refuse(400, `A proxy cannot serve this request: ${quote(head.target)} ${advice}`, head);
    }
    const framing = requestFraming(head);
    let route: Route;
    try {
      route = await this.#connection.route(target, "http");
    } catch (error) {
      return await this.#refuseDial(error, head);
    }
    const { httpProxy } = route;
    const request: ForwardedRequest = {
      head,
      framing,
      forwarded: forwardedRequestHead(head, target, framing, httpProxy),
      name: `"${target.authority}"`,
      check: httpProxy && ((answer) => refuseLogin(answer, httpProxy)),
    };
    const key = `${route.via} ${target.host.toLowerCase()}:${target.port}`;
    const kept = this.#http.kept.take(key);
    if (kept) {
      const end = await this.#http.exchange(request, kept, key);
      if (typeof end === "string") return end;
      if (end.cause instanceof DialError || !end.silent) return await this.#fail(end, head);
      // What may not be sent twice is left to the client, which sees what it would have seen without us.
      if (!isRepeatable(request)) return "end";
    }
    let stream: Duplex;
    try {
      stream = await this.#connection.dial(route, target, true);
    } catch (error) {
      return await this.#refuseDial(error, head);
    }
    const end = await this.#http.exchange(request, new Upstream(stream), key);
    return typeof end === "string" ? end : await this.#fail(end, head);
  }

  async #fail({ cause, message, exchange }: FailedExchange, head: RequestHead): Promise<Next> {
    const error = cause instanceof DialError ? cause : new DialError("unreachable", message, { cause });
    return await this.#http.answer(dialErrorPage(error, head.headers), head, exchange.bodyRead, exchange);
  }

  async #refuseDial(error: unknown, head: RequestHead): Promise<Next> {
    if (!(error instanceof DialError)) throw error;
    const bodyRead = head.method !== "CONNECT" && requestFraming(head).kind === "none";
    return await this.#http.answer(dialErrorPage(error, head.headers), head, bodyRead);
  }
}

/** A proxy on the way that wants another user or password than the user's settings have: an answer that the client can do nothing about. */
function refuseLogin(answer: ResponseHead, { host, port, source }: ProxySetting): void {
  if (answer.status !== 407) return;
  throw new DialError(
    "forbidden",
    `The proxy "${host}:${port}" (${source}) asks for another user or password than it was given (status 407)`,
  );
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
