import http2 from "node:http2";
import { setImmediate } from "node:timers";
import { bufferedDuplex } from "../stream/buffered_duplex.ts";
import type { Duplex } from "../stream/duplex.ts";
import type { HeaderList } from "../stream/http_head.ts";
import { nodeDuplex } from "../stream/node_duplex.ts";
import type { AgentConnection } from "./agent_connection.ts";
import { NotTaken } from "./announced_stream.ts";
import { OriginError } from "./dial_origin.ts";
import { type OpenedUpstream, originKey, takerKey } from "./serve_http1.ts";
import type { Taker } from "./owners.ts";
import { seenRequest } from "./seen_request.ts";

const { NGHTTP2_CANCEL, NGHTTP2_FLAG_END_STREAM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } =
  http2.constants;

/** A window that a fast sender does not often wait for, and that bounds what waits for a slow reader. */
const settings = { initialWindowSize: 256 * 1024, maxConcurrentStreams: 1024, enablePush: false };
/** MiB that a session may hold, all its streams together. */
const maxSessionMemory = 64;

const idempotent = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/**
 * Serves a client that speaks HTTP/2 in clear text (RFC 9113), gRPC above all: each stream goes to the laptop whose rule takes it, else to the original
 * pods, with trailers both ways. Resolves when the connection has ended.
 */
export async function serveHttp2(connection: AgentConnection, opened?: OpenedUpstream): Promise<void> {
  const client = new Http2Client(connection);
  // HTTP/2 wants a session of its own on it, which a connection opened for anything will do for.
  if (opened) client.keep(opened.key, opened.upstream.stream);
  await client.serve();
}

class Http2Client {
  readonly #connection: AgentConnection;
  /** Sessions with destinations, by what they are for. */
  readonly #sessions = new Map<string, Promise<http2.ClientHttp2Session>>();

  constructor(connection: AgentConnection) {
    this.#connection = connection;
  }

  /** Uses a connection that is open already for what `key` stands for. */
  keep(key: string, stream: Duplex): void {
    this.#session(key, () => Promise.resolve(stream));
  }

  async serve(): Promise<void> {
    const { client, reader } = this.#connection;
    const wire = nodeDuplex(bufferedDuplex(client, reader));
    wire.on("error", () => {});
    const server = http2.createServer({ settings, maxSessionMemory });
    const ended = new Promise<void>((resolve) => {
      server.on("session", (session) => {
        // Sends GOAWAY. (Node 18 breaks off what is under way then; 20 and later carry it on.)
        this.#connection.onFinish(() => session.close());
        session.on("stream", (stream, headers, flags) => void this.#route(stream, headers, flags));
        session.on("error", () => {});
        wire.on("close", () => session.destroy());
      });
      wire.on("close", resolve);
    });
    server.on("sessionError", () => {});
    server.emit("connection", wire);
    await ended;
    for (const session of this.#sessions.values()) session.then((each) => each.destroy(), () => {});
  }

  async #route(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders, flags: number): Promise<void> {
    const { entrance: { owners, port }, remote } = this.#connection;
    stream.on("error", () => {});
    const request: Request = {
      headers: forwardedHeaders(headers, remote),
      bodiless: (flags & NGHTTP2_FLAG_END_STREAM) !== 0,
      repeatable: (flags & NGHTTP2_FLAG_END_STREAM) !== 0 && idempotent.has(headers[":method"] ?? ""),
    };
    const taker = owners.pick(port.port, { target: headers[":path"] ?? "/", headers: headerList(headers) });
    if (taker && await owners.track(this.#toTaker(stream, request, taker))) return;
    await this.#toOrigin(stream, request);
  }

  /** As `#toLaptop`, and told where the laptop wants to know. */
  async #toTaker(stream: http2.ServerHttp2Stream, request: Request, taker: Taker): Promise<boolean> {
    const { link, rule } = taker;
    if (!link.observed) return await this.#toLaptop(stream, request, taker);
    const { clock, remote } = this.#connection;
    const started = clock.now();
    const answer = { bytes: 0 };
    if (!await this.#toLaptop(stream, { ...request, answer }, taker)) return false;
    const told = seenRequest(String(request.headers[":method"]), String(request.headers[":path"]));
    const status = Number(stream.sentHeaders?.[":status"] ?? 0);
    link.saw({
      kind: "request",
      rule: rule.id,
      remote,
      ...told,
      status,
      ms: Math.round(clock.now() - started),
      ...answer,
    });
    return true;
  }

  /** False where the stream is to go to the original pods after all. */
  async #toLaptop(stream: http2.ServerHttp2Stream, request: Request, taker: Taker): Promise<boolean> {
    const { link, rule } = taker;
    const elsewhere = () => rule.fallback === "origin" || !link.alive;
    let session: http2.ClientHttp2Session;
    try {
      session = await this.#session(takerKey(taker), async () => {
        const delivered = link.deliver({ rule: rule.id, port: rule.port, remote: this.#connection.remote });
        await delivered.accepted;
        return delivered;
      });
    } catch (error) {
      if (elsewhere()) return false;
      refuse(
        stream,
        error instanceof NotTaken
          ? `The laptop of ${link.owner.name} does not take the request: ${error.message}`
          : `The laptop of ${link.owner.name} is gone`,
      );
      return true;
    }
    const outcome = await exchange(stream, session, request);
    if (outcome === "answered") link.served(rule.id);
    else if (outcome === "untouched" && elsewhere()) return false;
    else refuse(stream, `The program on the laptop of ${link.owner.name} gave no answer`);
    return true;
  }

  async #toOrigin(stream: http2.ServerHttp2Stream, request: Request): Promise<void> {
    const { service } = this.#connection.entrance;
    try {
      const session = await this.#session(originKey, () => this.#connection.dialOrigin());
      if (await exchange(stream, session, request) !== "answered") {
        refuse(stream, `The service "${service}" gave no answer`);
      }
    } catch (error) {
      if (!(error instanceof OriginError)) throw error;
      refuse(stream, error.message, error.status);
    }
  }

  /** The session that is kept for `key`, or one on a connection that `open` makes. */
  #session(key: string, open: () => Promise<Duplex>): Promise<http2.ClientHttp2Session> {
    const known = this.#sessions.get(key);
    if (known) return known;
    const drop = () => {
      if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    };
    const session = open().then((stream) => {
      const wire = nodeDuplex(stream);
      wire.on("error", drop);
      wire.on("close", () => made.destroy());
      const made = http2.connect("http://hawser", {
        createConnection: () => wire,
        settings,
        maxSessionMemory,
      });
      made.on("error", drop);
      made.on("goaway", drop);
      made.on("close", drop);
      return made;
    });
    session.catch(drop);
    this.#sessions.set(key, session);
    return session;
  }
}

interface Request {
  readonly headers: http2.OutgoingHttpHeaders;
  /** Nothing follows the headers. */
  readonly bodiless: boolean;
  /** It may be sent a second time, and can be. */
  readonly repeatable: boolean;
  /** Where the bytes of the answer's body are counted, if anywhere. */
  readonly answer?: { bytes: number };
}

/**
 * Carries one stream to a destination and back. `untouched`: no answer has begun, and it may be sent elsewhere. Never rejects.
 */
function exchange(
  stream: http2.ServerHttp2Stream,
  session: http2.ClientHttp2Session,
  { headers, bodiless, repeatable, answer }: Request,
): Promise<"answered" | "untouched" | "failed"> {
  return new Promise((resolve) => {
    let request: http2.ClientHttp2Stream;
    try {
      request = session.request(headers, { endStream: bodiless, waitForTrailers: !bodiless });
    } catch {
      return resolve("untouched"); // the session is about to close
    }
    let answered = false;
    let ended = false;
    const whole = () => ended && request.rstCode === NGHTTP2_NO_ERROR;
    const pass = () => void (answered && whole() && stream.end());
    let up: http2.IncomingHttpHeaders = {};
    let down: http2.IncomingHttpHeaders = {};
    const onTrailers = (fields: http2.IncomingHttpHeaders) => up = fields;
    const onGone = () => request.close(stream.rstCode || NGHTTP2_CANCEL);
    stream.on("trailers", onTrailers);
    stream.on("close", onGone);
    request.on("headers", (interim) => {
      if (!stream.destroyed && !stream.headersSent) stream.additionalHeaders(interim);
    });
    request.on("response", (head, flags) => {
      answered = true;
      if (stream.destroyed) return;
      const bare = (flags & NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.on("wantTrailers", () => stream.sendTrailers({ ...down }));
      stream.respond(head, { endStream: bare, waitForTrailers: !bare });
      if (answer) request.on("data", (chunk: Uint8Array) => answer.bytes += chunk.length);
      if (bare) request.resume();
      else request.pipe(stream, { end: false });
    });
    request.on("trailers", (fields) => down = fields);
    request.on("wantTrailers", () => request.sendTrailers({ ...up }));
    request.on("end", () => {
      ended = true;
      // Both runtimes end what was reset, too, and tell the code only afterwards.
      setImmediate(pass);
    });
    request.on("error", () => {});
    request.on("close", () => {
      stream.off("trailers", onTrailers);
      stream.off("close", onGone);
      stream.unpipe(request);
      const code = request.rstCode;
      if (!answered && !stream.destroyed) {
        return resolve(repeatable || (bodiless && code === NGHTTP2_REFUSED_STREAM) ? "untouched" : "failed");
      }
      // Half an answer must not look like a whole one.
      if (whole()) pass();
      else stream.close(code || NGHTTP2_INTERNAL_ERROR);
      // What the client still sends has no reader any more.
      stream.resume();
      resolve("answered");
    });
    if (stream.destroyed) onGone();
    else if (!bodiless) stream.pipe(request);
  });
}

/** An answer of our own; gRPC takes its status for UNAVAILABLE. */
function refuse(stream: http2.ServerHttp2Stream, sentence: string, status: number = 502): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond({ ":status": status, "content-type": "text/plain; charset=utf-8", "x-hawser-error": "agent" });
  stream.end(`${sentence}\n`);
  stream.resume();
}

function forwardedHeaders(headers: http2.IncomingHttpHeaders, remote: string): http2.OutgoingHttpHeaders {
  const before = headers["x-forwarded-for"];
  return { ...headers, "x-forwarded-for": before === undefined ? remote : `${before}, ${remote}` };
}

function headerList(headers: http2.IncomingHttpHeaders): HeaderList {
  return Object.entries(headers).flatMap(([name, value]): HeaderList =>
    name.startsWith(":") || value === undefined ? [] : [value].flat().map((each) => [name, each])
  );
}
