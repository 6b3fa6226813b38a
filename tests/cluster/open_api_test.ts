import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Access } from "../../src/cluster/access.ts";
import { AccessError } from "../../src/cluster/access.ts";
import { type Api, ApiError, type WatchEvent } from "../../src/cluster/api.ts";
import { openApi } from "../../src/cluster/open_api.ts";
import type { Clock } from "../../src/platform/clock.ts";
import { BufferedReader } from "../../src/stream/buffered_reader.ts";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { openBody, requestFraming } from "../../src/stream/http_body.ts";
import { parseRequestHead } from "../../src/stream/http_head.ts";
import { listenTcp, type TcpListener } from "../../src/stream/listen_tcp.ts";
import { FakeClock, settled } from "../fake_clock.ts";

const never = new AbortController().signal;

/** A request as the server saw it. */
interface Seen {
  readonly line: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** 1 for the first connection. */
  readonly connection: number;
}

type Answer = string | Uint8Array | ((stream: Duplex, seen: Seen) => Promise<void>);

function json(value: unknown, head = "HTTP/1.1 200 OK", headers = ""): string {
  const text = JSON.stringify(value);
  return `${head}\r\nContent-Type: application/json\r\n${headers}Content-Length: ${
    new TextEncoder().encode(text).length
  }\r\n\r\n${text}`;
}

function status(code: number, reason: string, headers = ""): string {
  return json({ kind: "Status", code, reason, message: `${reason}!` }, `HTTP/1.1 ${code} ${reason}`, headers);
}

const chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

function chunk(text: string): string {
  return `${new TextEncoder().encode(text).length.toString(16)}\r\n${text}\r\n`;
}

function event(type: string, resourceVersion: string, name = "a"): string {
  return JSON.stringify({ type, object: { metadata: { name, resourceVersion } } }) + "\n";
}

async function send(stream: Duplex, text: string): Promise<void> {
  await stream.write(new TextEncoder().encode(text));
}

/** An HTTP server whose answers a test writes by hand, byte by byte, and an API that talks to it. */
class Scene {
  readonly seen: Seen[] = [];
  readonly answers: Answer[] = [];
  readonly streams: Duplex[] = [];
  readonly api: Api & { close(): void };
  renewals: boolean[] = [];
  token = "first";
  /** Settle when the client has ended its connections, in their order. */
  readonly endings: Promise<void>[] = [];
  #arrived = Promise.withResolvers<void>();
  readonly #listener: TcpListener;

  private constructor(listener: TcpListener, path: string, clock: Clock | undefined) {
    this.#listener = listener;
    const access: Access = {
      context: "test",
      namespace: "default",
      user: "me",
      server: new URL(`http://127.0.0.1:${listener.port}${path}`),
      connect: (signal) => connectTcp("127.0.0.1", listener.port, signal),
      headers: () => Promise.resolve([["Authorization", `Bearer ${this.token}`]]),
      renew: () => {
        this.token = "second";
        return Promise.resolve(this.renewals.shift() ?? false);
      },
    };
    this.api = openApi(access, { random: () => 0.5, ...(clock && { clock }) });
  }

  static async open(answers: readonly Answer[], options: { path?: string; clock?: Clock } = {}): Promise<Scene> {
    let scene: Scene | undefined = undefined as Scene | undefined;
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => {
      scene?.endings.push(scene.#serve(stream));
    });
    scene = new Scene(listener, options.path ?? "", options.clock);
    scene.answers.push(...answers);
    return scene;
  }

  get lines(): string[] {
    return this.seen.map(({ line }) => line);
  }

  /** Resolves once so many requests have come in. */
  async arrival(count: number): Promise<void> {
    while (this.seen.length < count) {
      this.#arrived = Promise.withResolvers();
      await this.#arrived.promise;
    }
  }

  async #serve(stream: Duplex): Promise<void> {
    const connection = this.streams.push(stream);
    const reader = new BufferedReader(stream);
    try {
      for (let bytes; (bytes = await reader.head()) !== null;) {
        const head = parseRequestHead(bytes);
        const body = openBody(reader, requestFraming(head));
        const buffer = new Uint8Array(4096);
        let text = "";
        for (let count; (count = await body.read(buffer)) !== null;) {
          text += new TextDecoder().decode(buffer.subarray(0, count));
        }
        const headers = new Map(head.headers.map(([name, value]) => [name.toLowerCase(), value]));
        const seen = { line: `${head.method} ${head.target}`, headers, body: text, connection };
        this.seen.push(seen);
        this.#arrived.resolve();
        const answer = this.answers.shift();
        if (answer === undefined) continue; // silence
        if (typeof answer === "function") await answer(stream, seen);
        else await stream.write(typeof answer === "string" ? new TextEncoder().encode(answer) : answer);
      }
    } catch {
      // The client left.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.api.close();
    for (const stream of this.streams) stream.close();
    await this.#listener.close();
  }
}

async function collect(events: AsyncIterable<WatchEvent<{ metadata: { name: string } }>>): Promise<string[]> {
  const found: string[] = [];
  for await (const { type, object } of events) found.push(`${type} ${object.metadata.name}`);
  return found;
}

describe("openApi", () => {
  it("asks under the server's path, as the user, and keeps the connection", async () => {
    await using scene = await Scene.open([json({ a: 1 }), json({ b: 2 })], { path: "/prefix/" });
    assertEquals(await scene.api.get("/api/v1/things", { labelSelector: "a=b c", limit: undefined }, never), { a: 1 });
    assertEquals(await scene.api.get("/version", {}, never), { b: 2 });
    assertEquals(scene.lines, ["GET /prefix/api/v1/things?labelSelector=a%3Db+c", "GET /prefix/version"]);
    assertEquals(scene.seen.map(({ connection }) => connection), [1, 1]);
    assertEquals(scene.seen[0]?.headers.get("authorization"), "Bearer first");
    assert(/^hawser\/\d/.test(scene.seen[0]?.headers.get("user-agent") ?? ""));
  });

  it("sends bodies with their media types", async () => {
    await using scene = await Scene.open([json({}), json({}), json({}), json({}), json({})]);
    await scene.api.create("/a", { x: "é" }, never);
    await scene.api.patch("/a/b", "merge", { y: 1 }, { fieldManager: "hawser" }, never);
    await scene.api.patch("/a/b", "apply", {}, {}, never);
    await scene.api.patch("/a/b", "json", [], {}, never);
    await scene.api.delete("/a/b", undefined, never);
    assertEquals(scene.lines, ["POST /a", "PATCH /a/b?fieldManager=hawser", "PATCH /a/b", "PATCH /a/b", "DELETE /a/b"]);
    assertEquals(scene.seen[0]?.body, '{"x":"é"}');
    assertEquals(scene.seen.map(({ headers }) => headers.get("content-type")), [
      "application/json",
      "application/merge-patch+json",
      "application/apply-patch+yaml",
      "application/json-patch+json",
      undefined,
    ]);
  });

  it("decompresses gzip", async () => {
    const text = new TextEncoder().encode(JSON.stringify({ long: "x".repeat(100_000) }));
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
    const packed = new Uint8Array(await new Response(stream).arrayBuffer());
    const head = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`;
    await using scene = await Scene.open([new Uint8Array([...new TextEncoder().encode(head), ...packed])]);
    assertEquals((await scene.api.get<{ long: string }>("/a", {}, never)).long.length, 100_000);
  });

  it("joins the pages of a list", async () => {
    await using scene = await Scene.open([
      json({ metadata: { resourceVersion: "5", continue: "next" }, items: [1, 2] }),
      json({ metadata: { resourceVersion: "5" }, items: [3] }),
    ]);
    assertEquals(await scene.api.list("/a", { labelSelector: "x" }, never), { resourceVersion: "5", items: [1, 2, 3] });
    assertEquals(scene.lines, ["GET /a?limit=500&labelSelector=x", "GET /a?limit=500&labelSelector=x&continue=next"]);
  });

  it("lists all at once when the snapshot behind the pages expires", async () => {
    await using scene = await Scene.open([
      json({ metadata: { continue: "next" }, items: [1] }),
      status(410, "Expired"),
      json({ metadata: { resourceVersion: "9" }, items: [1, 2] }),
    ]);
    assertEquals(await scene.api.list("/a", {}, never), { resourceVersion: "9", items: [1, 2] });
    assertEquals(scene.lines.at(-1), "GET /a");
  });

  it("tells when a list was answered, by the server's clock", async () => {
    const page = { metadata: { resourceVersion: "9" }, items: [] };
    const dates = ["Date: Fri, 01 May 2026 12:00:00 GMT\r\n", "Date: soon\r\n"];
    await using scene = await Scene.open(dates.map((date) => json(page, "HTTP/1.1 200 OK", date)));
    assertEquals((await scene.api.list("/a", {}, never)).date, Date.parse("2026-05-01T12:00:00Z"));
    assertEquals((await scene.api.list("/a", {}, never)).date, undefined);
  });

  it("takes a list without items for an empty one", async () => {
    await using scene = await Scene.open([json({ metadata: { resourceVersion: "9" }, items: null })]);
    assertEquals(await scene.api.list("/a", {}, never), { resourceVersion: "9", items: [] });
  });

  it("gives the server's own words in errors", async () => {
    await using scene = await Scene.open([status(403, "Forbidden")]);
    const error = await assertRejects(() => scene.api.get("/api/v1/secrets", { limit: 1 }, never), ApiError);
    assertEquals([error.status, error.reason, error.message, error.request], [
      403,
      "Forbidden",
      "Forbidden!",
      "GET /api/v1/secrets",
    ]);
  });

  it("says who answered where it was not Kubernetes", async () => {
    const page = "<html><head><title>Sign in to the company network</title></head></html>";
    await using scene = await Scene.open([
      `HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: ${page.length}\r\n\r\n${page}`,
      "HTTP/1.1 302 Found\r\nLocation: https://login.example.org/\r\nContent-Length: 0\r\n\r\n",
    ]);
    await assertRejects(
      () => scene.api.get("/a", {}, never),
      ApiError,
      "HTTP status 502: Bad Gateway: Sign in to the company network",
    );
    await assertRejects(() => scene.api.get("/a", {}, never), ApiError, '"https://login.example.org/"');
  });

  it("gets new credentials after a 401, once, on a new connection", async () => {
    await using scene = await Scene.open([json({}), status(401, "Unauthorized"), json({ a: 1 })]);
    scene.renewals = [true];
    await scene.api.get("/a", {}, never);
    assertEquals(await scene.api.get("/a", {}, never), { a: 1 });
    assertEquals(scene.seen.map(({ headers }) => headers.get("authorization")), [
      "Bearer first",
      "Bearer first",
      "Bearer second",
    ]);
    assertEquals(scene.seen.map(({ connection }) => connection), [1, 1, 2]);
  });

  it("gives a 401 on where there are no other credentials, or those are refused too", async () => {
    await using scene = await Scene.open([
      status(401, "Unauthorized"),
      status(401, "Unauthorized"),
      status(401, "Unauthorized"),
    ]);
    const error = await assertRejects(() => scene.api.get("/a", {}, never), ApiError);
    assertEquals(error.status, 401);
    assertStringIncludes(error.message, 'the credentials of user "me" in context "test" (Unauthorized!): log in again');
    scene.renewals = [true, true];
    assertEquals((await assertRejects(() => scene.api.get("/a", {}, never), ApiError)).status, 401);
    assertEquals(scene.seen.length, 3);
  });

  it("waits as long as a busy server asks, a few times", async () => {
    const clock = new FakeClock();
    const busy = status(429, "TooManyRequests", "Retry-After: 2\r\n");
    await using scene = await Scene.open([busy, busy, json({ a: 1 }), busy, busy, busy, busy], { clock });
    const first = scene.api.get("/a", {}, never);
    await scene.arrival(1);
    await settled(100);
    await clock.advance(1_900);
    assertEquals(scene.seen.length, 1);
    await clock.advance(100);
    await scene.arrival(2);
    await settled(100);
    await clock.advance(2_000);
    assertEquals(await first, { a: 1 });
    const second = assertRejects(() => scene.api.get("/a", {}, never), ApiError);
    for (let attempt = 0; attempt < 4; attempt++) {
      await scene.arrival(4 + attempt);
      await settled(100);
      await clock.advance(2_000);
    }
    assertEquals((await second).retryAfter, 2);
  });

  it("does not wait for a server that asks for minutes", async () => {
    await using scene = await Scene.open([status(503, "ServiceUnavailable", "Retry-After: 120\r\n")]);
    await assertRejects(() => scene.api.get("/a", {}, never), ApiError);
  });

  it("asks once more when a kept connection turns out to be dead", async () => {
    await using scene = await Scene.open([
      json({}),
      (stream) => Promise.resolve(stream.reset()),
      json({ a: 1 }),
    ]);
    await scene.api.get("/a", {}, never);
    assertEquals(await scene.api.get("/a", {}, never), { a: 1 });
    assertEquals(scene.seen.map(({ connection }) => connection), [1, 1, 2]);
  });

  it("does not repeat what may have been done already", async () => {
    await using scene = await Scene.open([json({}), (stream) => Promise.resolve(stream.reset())]);
    await scene.api.get("/a", {}, never);
    const error = await assertRejects(() => scene.api.create("/a", {}, never), AccessError);
    assertEquals(error.kind, "unreachable");
    assertEquals(scene.seen.length, 2);
  });

  it("does not use a connection that the server has closed meanwhile", async () => {
    await using scene = await Scene.open([json({}), json({ a: 1 })]);
    await scene.api.get("/a", {}, never);
    await scene.streams[0]?.closeWrite();
    await scene.endings[0];
    assertEquals(await scene.api.create("/a", {}, never), { a: 1 });
    assertEquals(scene.seen.map(({ connection }) => connection), [1, 2]);
  });

  it("gives up after 30 s of silence, and after 5 s on a kept connection tries a new one", async () => {
    const clock = new FakeClock();
    await using scene = await Scene.open([json({})], { clock });
    await scene.api.get("/a", {}, never);
    const silent = assertRejects(() => scene.api.get("/a", {}, never), AccessError);
    await scene.arrival(2);
    await clock.advance(5_000);
    await scene.arrival(3);
    assertEquals(scene.seen.map(({ connection }) => connection), [1, 1, 2]);
    await clock.advance(30_000);
    assertEquals((await silent).kind, "timeout");
  });

  it("leaves at once when the caller does", async () => {
    await using scene = await Scene.open([]);
    const leaving = new AbortController();
    const waiting = assertRejects(() => scene.api.get("/a", {}, leaving.signal), Error, "enough");
    await scene.arrival(1);
    leaving.abort(new Error("enough"));
    await waiting;
  });

  it("does not take an answer that breaks off for a whole one", async () => {
    await using scene = await Scene.open([
      async (stream) => {
        await send(stream, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":1}');
        stream.close();
      },
    ]);
    assertEquals((await assertRejects(() => scene.api.get("/a", {}, never), AccessError)).kind, "unreachable");
  });

  it("fails clearly on what is not HTTP or not JSON", async () => {
    await using scene = await Scene.open([
      "SSH-2.0-OpenSSH_9.9\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    ]);
    await assertRejects(() => scene.api.get("/a", {}, never), AccessError, "Not an HTTP/1 status line");
    await assertRejects(() => scene.api.get("/a", {}, never), AccessError);
  });

  it("fails what is under way when it is closed", async () => {
    await using scene = await Scene.open([]);
    const waiting = assertRejects(() => scene.api.get("/a", {}, never), AccessError);
    await scene.arrival(1);
    scene.api.close();
    await waiting;
  });
});

describe("watch", () => {
  it("gives events, keeps bookmarks to itself, and tells every version after its event", async () => {
    const text = event("ADDED", "11") + event("BOOKMARK", "12") + event("MODIFIED", "13", "b");
    await using scene = await Scene.open([
      chunkedHead + chunk(text.slice(0, 50)) + chunk(text.slice(50)) + "0\r\n\r\n",
    ]);
    const versions: string[] = [];
    const events = scene.api.watch<{ metadata: { name: string } }>(
      "/a",
      { labelSelector: "x" },
      "10",
      (v) => versions.push(v),
      never,
    );
    assertEquals(await collect(events), ["ADDED a", "MODIFIED b"]);
    assertEquals(versions, ["11", "12", "13"]);
    assertEquals(scene.lines, [
      "GET /a?labelSelector=x&watch=true&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds=450",
    ]);
  });

  it("fails with 410 both ways in which the server says it", async () => {
    const error = JSON.stringify({
      type: "ERROR",
      object: { kind: "Status", code: 410, reason: "Expired", message: "too old" },
    });
    await using scene = await Scene.open([status(410, "Gone"), chunkedHead + chunk(error + "\n")]);
    for (let i = 0; i < 2; i++) {
      const gone = await assertRejects(() => collect(scene.api.watch("/a", {}, "1", () => {}, never)), ApiError);
      assertEquals(gone.status, 410);
    }
  });

  it("fails after 90 s of silence", async () => {
    const clock = new FakeClock();
    await using scene = await Scene.open([chunkedHead + chunk(event("ADDED", "1"))], { clock });
    const iterator = scene.api.watch<{ metadata: { name: string } }>("/a", {}, "1", () => {}, never)
      [Symbol.asyncIterator]();
    await iterator.next();
    const silent = assertRejects(() => iterator.next(), AccessError, "no answer within 90 s");
    await clock.advance(90_000);
    assertEquals((await silent).kind, "timeout");
  });

  it("fails when the connection is cut", async () => {
    await using scene = await Scene.open([
      async (stream) => {
        await send(stream, chunkedHead + chunk(event("ADDED", "1")));
        stream.reset();
      },
    ]);
    const error = await assertRejects(() => collect(scene.api.watch("/a", {}, "1", () => {}, never)), AccessError);
    assertStringIncludes(error.message, "failed");
  });

  it("gives its connection up when nobody iterates any more", async () => {
    await using scene = await Scene.open([chunkedHead + chunk(event("ADDED", "1"))]);
    for await (const _ of scene.api.watch("/a", {}, "1", () => {}, never)) break;
    assertEquals(await scene.streams[0]?.read(new Uint8Array(1)).catch(() => null), null);
  });
});
