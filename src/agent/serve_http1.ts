import { errorPage } from "../stream/error_page.ts";
import { forwardedHeaders } from "../stream/forwarded_head.ts";
import { type Framing, requestFraming } from "../stream/http_body.ts";
import { type FailedExchange, HttpConnection, isRepeatable, type Next } from "../stream/http_connection.ts";
import type { ForwardedRequest } from "../stream/http_exchange.ts";
import { header, type HeaderList, type RequestHead } from "../stream/http_head.ts";
import { Upstream } from "../stream/kept_upstreams.ts";
import type { TcpStream } from "../stream/tcp_stream.ts";
import type { AgentConnection } from "./agent_connection.ts";
import { type AnnouncedStream, NotTaken } from "./announced_stream.ts";
import { OriginError } from "./dial_origin.ts";
import type { Taker } from "./owners.ts";
import { seenRequest } from "./seen_request.ts";

/** Long, as whoever closes an idle connection first risks that a request is just on its way: it had better be the client. */
const patience = { handshake: 60_000, idle: 3_600_000 };

/**
 * Milliseconds for which a connection may have been unused to carry what cannot be sent twice: a destination that is about to close it would make it fail.
 */
const fresh = 1000;

/** A connection that was opened before it was known what the client speaks. */
export interface OpenedUpstream {
  readonly key: string;
  readonly upstream: Upstream;
}

/** The key of connections to the original pods. */
export const originKey = "origin";

/** The key of streams to a laptop. */
export function takerKey({ rule, link }: Taker): string {
  return `${link.owner.id} ${rule.id}`;
}

/**
 * Serves a client that speaks HTTP/1: each request goes to the laptop whose rule takes it, else to the original pods. Resolves when nothing more is to be
 * said on the connection.
 */
export async function serveHttp1(connection: AgentConnection, opened?: OpenedUpstream): Promise<void> {
  const http = new HttpConnection(connection, patience, "HTTP/1");
  if (opened) http.kept.put(opened.key, opened.upstream);
  const router = new Router(connection, http);
  await http.serve((head) => router.serve(head));
}

class Router {
  readonly #connection: AgentConnection;
  readonly #http: HttpConnection;
  /** Of the last answer; 0 until there is one. */
  #status = 0;

  constructor(connection: AgentConnection, http: HttpConnection) {
    this.#connection = connection;
    this.#http = http;
  }

  async serve(head: RequestHead): Promise<Next> {
    const { owners, port, service } = this.#connection.entrance;
    this.#connection.settle();
    const framing = requestFraming(head);
    const forwarded = forwardedHead(head, framing, this.#connection.remote);
    const request = { head, framing, forwarded, name: `The service "${service}"` };
    const taker = owners.pick(port.port, head);
    return (taker && await owners.track(this.#toTaker(taker, request))) ?? await this.#toOrigin(request);
  }

  /** As `#toLaptop`, and told where the laptop wants to know. */
  async #toTaker(taker: Taker, request: ForwardedRequest): Promise<Next | undefined> {
    const { link, rule } = taker;
    if (!link.observed) return await this.#toLaptop(taker, request);
    const { clock, remote, traffic } = this.#connection;
    const started = clock.now();
    const before = traffic.received;
    this.#status = 0;
    const next = await this.#toLaptop(taker, request);
    if (next === undefined) return undefined;
    const told = seenRequest(request.head.method, request.head.target);
    const ms = Math.round(clock.now() - started);
    link.saw({
      kind: "request",
      rule: rule.id,
      remote,
      ...told,
      status: this.#status,
      ms,
      bytes: traffic.received - before,
    });
    return next;
  }

  /** Undefined where the request is to go to the original pods after all. */
  async #toLaptop(taker: Taker, original: ForwardedRequest): Promise<Next | undefined> {
    const { link, rule } = taker;
    const request: ForwardedRequest = {
      ...original,
      name: `The program on the laptop of ${link.owner.name}`,
      check: ({ status }) => {
        if (status !== 101 && status < 200) return;
        this.#status = status;
        link.served(rule.id);
      },
    };
    const key = takerKey(taker);
    const known = await this.#throughKept(key, request);
    if (known) return known;
    let stream: AnnouncedStream;
    try {
      stream = link.deliver({ rule: rule.id, port: rule.port, remote: this.#connection.remote });
      // A body can be taken from the client only once, so it must be known for whom; without one there is no need to wait.
      if (request.framing.kind !== "none") await stream.accepted;
    } catch (error) {
      return rule.fallback === "origin" || !link.alive
        ? undefined
        : await this.#answer(502, sentence(link.owner.name, error), request);
    }
    const end = await this.#http.exchange(request, new Upstream(stream), key);
    if (typeof end === "string") return end;
    const untouched = end.cause instanceof NotTaken || isRepeatable(request);
    if (untouched && (rule.fallback === "origin" || !link.alive)) return undefined;
    return await this.#answer(
      502,
      end.cause instanceof NotTaken ? sentence(link.owner.name, end.cause) : end.message,
      request,
      end,
    );
  }

  async #toOrigin(request: ForwardedRequest): Promise<Next> {
    const known = await this.#throughKept(originKey, request);
    if (known) return known;
    let stream: TcpStream;
    try {
      stream = await this.#connection.dialOrigin();
    } catch (error) {
      if (!(error instanceof OriginError)) throw error;
      return await this.#answer(error.status, error.message, request);
    }
    const end = await this.#http.exchange(request, new Upstream(stream), originKey);
    return typeof end === "string" ? end : await this.#answer(502, end.message, request, end);
  }

  /** Undefined where there is no connection kept, or it had been closed in the meantime. */
  async #throughKept(key: string, request: ForwardedRequest): Promise<Next | undefined> {
    const kept = this.#http.kept.take(key, isRepeatable(request) ? Infinity : fresh);
    if (!kept) return undefined;
    const end = await this.#http.exchange(request, kept, key);
    if (typeof end === "string") return end;
    if (!end.silent) return await this.#answer(502, end.message, request, end);
    // What may not be sent twice is left to the client, which sees what it would have seen without us.
    return isRepeatable(request) ? undefined : "end";
  }

  async #answer(
    status: number,
    sentence: string,
    { head, framing }: ForwardedRequest,
    failed?: FailedExchange,
  ): Promise<Next> {
    const page = errorPage(status, sentence, head.headers, [["X-Hawser-Error", "agent"]]);
    const bodyRead = failed?.exchange.bodyRead ?? framing.kind === "none";
    const next = await this.#http.answer(page, head, bodyRead, failed?.exchange);
    if (next !== "end") this.#status = status; // else there was nobody to take it
    return next;
  }
}

function forwardedHead(head: RequestHead, framing: Framing, remote: string): RequestHead {
  const headers: HeaderList = forwardedHeaders(head.headers, framing).filter(([name]) =>
    !/^x-forwarded-for$/i.test(name)
  );
  const before = header(head.headers, "x-forwarded-for");
  headers.push(["X-Forwarded-For", before === undefined ? remote : `${before}, ${remote}`]);
  // HTTP/1.1 wants one (RFC 9110 §7.2), HTTP/1.0 knew none.
  if (header(headers, "host") === undefined) headers.unshift(["Host", ""]);
  return { ...head, minor: 1, headers };
}

function sentence(owner: string, error: unknown): string {
  return error instanceof NotTaken
    ? `The laptop of ${owner} does not take the request: ${error.message}`
    : `The laptop of ${owner} is gone`;
}
