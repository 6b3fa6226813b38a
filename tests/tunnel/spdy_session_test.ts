import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { concatBytes } from "../../src/stream/concat_bytes.ts";
import { silentLog } from "../../src/platform/log.ts";
import { type ForwardStream, StreamError } from "../../src/tunnel/forward_stream.ts";
import { SpdySession } from "../../src/tunnel/spdy_session.ts";
import { plainWire } from "../../src/tunnel/wire.ts";
import { FakeClock, settled } from "../fake_clock.ts";
import { duplexPair } from "../stream/duplex_pair.ts";
import { readAll, scriptedSource } from "../stream/scripted_source.ts";
import { sessionPair } from "./session_pair.ts";
import { controlFrame, dataFrame, SpdyServer, synReply } from "./spdy_server.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array) => new TextDecoder().decode(value);

async function failure(reading: Promise<unknown>): Promise<StreamError> {
  return await assertRejects(() => reading, StreamError);
}

const read = (stream: ForwardStream) => stream.read(new Uint8Array(1000));

describe("SpdySession", () => {
  it("opens a connection and its first bytes in one write", async () => {
    const [client, far] = duplexPair();
    let writes = 0;
    const wire = plainWire(client, (into) => client.read(into));
    const counting = { ...wire, write: (parts: readonly Uint8Array[]) => (writes++, wire.write(parts)) };
    const server = new SpdyServer(far);
    const session = new SpdySession(counting, { onChange() {}, onEnd() {} }, {
      clock: new FakeClock(),
      log: silentLog,
    });
    const stream = session.connect(8080);
    await stream.write(bytes("hello"));
    await settled();
    assertEquals(writes, 1);
    assertEquals([server.last.port, server.last.received], [8080, "hello"]);
    session.close();
  });

  it("carries many connections at once, each with its own bytes", async () => {
    const { server, session, close } = sessionPair();
    server.onData = (connection, data) => void connection.write(data);
    server.onFinish = (connection) => void connection.finish();
    const streams = Array.from({ length: 50 }, (_, index) => session.connect(1000 + index));
    await Promise.all(streams.map((stream, index) => stream.write(bytes(`to ${index}`))));
    for (const [index, stream] of streams.entries()) {
      const into = new Uint8Array(100);
      assertEquals(text(into.subarray(0, await stream.read(into) ?? 0)), `to ${index}`);
    }
    assertEquals(server.opened.map(({ port }) => port), streams.map(({ port }) => port));
    assertEquals(session.live.length, 50);
    await close();
  });

  it("reads the same however the server's bytes are split", async () => {
    const script = concatBytes([
      synReply(3),
      synReply(1),
      dataFrame(3, bytes("one ")),
      controlFrame(6, [2]),
      controlFrame(4, [0]),
      dataFrame(3, new Uint8Array(0)),
      controlFrame(9, [3, 100]),
      dataFrame(99, bytes("for nobody")),
      dataFrame(3, bytes("two")),
      dataFrame(3, new Uint8Array(0), true),
      dataFrame(1, new Uint8Array(0), true),
    ]);
    await fc.assert(fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 }),
      async (cuts) => {
        const source = scriptedSource(script, cuts);
        const wire = { read: source.read, write: () => Promise.resolve(), close() {} };
        const events = { onChange() {}, onEnd() {} };
        const session = new SpdySession(wire, events, { clock: new FakeClock(), log: silentLog });
        assertEquals(text(await readAll(session.connect(80))), "one two");
      },
    ));
  });

  it("ends on noise, and every stream with it", async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (noise) => {
      const source = scriptedSource(noise);
      const ends: Error[] = [];
      const wire = { read: source.read, write: () => Promise.resolve(), close() {} };
      const events = { onChange() {}, onEnd: (_: SpdySession, error: Error) => void ends.push(error) };
      const session = new SpdySession(wire, events, { clock: new FakeClock(), log: silentLog });
      await readAll(session.connect(80)).catch((error) => assertEquals(error instanceof StreamError, true));
      await settled();
      assertEquals(ends.length, 1);
      assertEquals(session.open, false);
    }));
  });

  it("refuses a control frame that nobody would send, before it has come", async () => {
    const { server, session, ended } = sessionPair();
    await server.send(Uint8Array.from([0x80, 3, 0, 2, 0, 0xff, 0xff, 0xff]));
    await settled();
    assertEquals(ended.map(({ message }) => message), ["SPDY control frame of 16777215 bytes"]);
    assertEquals(session.open, false);
  });

  it("asks every 10 s whether the other side is there, and lives while it is", async () => {
    const { clock, server, session, ended, close } = sessionPair();
    await clock.advance(60_500);
    assertEquals(server.pings, [1, 3, 5, 7, 9, 11]);
    assertEquals([session.open, ended.length], [true, 0]);
    await close();
  });

  it("answers the server's PINGs", async () => {
    const { server, close } = sessionPair();
    await server.send(controlFrame(6, [2]));
    await settled();
    assertEquals(server.pings, [2]);
    await close();
  });

  it("does not heap up answers to a server that sends PINGs and never reads", async () => {
    const { server, session, close } = sessionPair(1000);
    const stream = session.connect(80);
    await settled();
    server.reads = false;
    const writing = stream.write(new Uint8Array(10_000));
    await server.send(...Array.from({ length: 10_000 }, (_, index) => controlFrame(6, [2 * index + 2])));
    await settled();
    server.reads = true;
    await writing;
    await settled();
    assertEquals(server.pings.length > 0 && server.pings.length < 1_000, true, `${server.pings.length} answers`);
    await close();
  });

  it("ends within 15 s once the other side is silent, and says so to every stream", async () => {
    const { clock, server, session, ended } = sessionPair();
    const stream = session.connect(80);
    await clock.advance(100);
    server.answersPings = false;
    const reading = failure(read(stream));
    await clock.advance(14_800);
    assertEquals(ended.length, 0);
    await clock.advance(200);
    assertEquals((await reading).code, "ETIMEDOUT");
    assertStringIncludes(ended[0]!.message, "silent for 5 s");
    assertEquals(clock.pending, 0);
    await server.ended;
  });

  it("takes any byte for a sign of life", async () => {
    const { clock, server, session, ended, close } = sessionPair();
    server.answersPings = false;
    const stream = session.connect(80);
    for (let turn = 0; turn < 20; turn++) {
      await clock.advance(2_000);
      await server.last.write("x");
      await read(stream);
    }
    assertEquals(ended.length, 0);
    await close();
  });

  it("ends when a new stream is not accepted within 5 s", async () => {
    const { clock, server, session, ended } = sessionPair();
    server.accepts = false;
    const stream = session.connect(80);
    const confirmed = stream.confirmed(30);
    await clock.advance(4_999);
    assertEquals(ended.length, 0);
    await clock.advance(1);
    assertEquals((await confirmed)?.code, "ETIMEDOUT");
    assertStringIncludes(ended[0]!.message, "did not answer within 5 s");
    assertEquals(clock.pending, 0);
  });

  it("ends a session that never accepted a stream, even if a reader had stalled it when it was due", async () => {
    const { clock, server, session, ended } = sessionPair(1024 * 1024);
    const slow = session.connect(80);
    await settled();
    const flood = server.last;
    server.accepts = false;
    const late = session.connect(81);
    const confirmed = late.confirmed(30);
    await flood.write(new Uint8Array(300_000));
    await clock.advance(20_000);
    assertEquals([slow.stalled, ended.length], [true, 0]);
    const into = new Uint8Array(65536);
    for (let left = 300_000; left > 0;) left -= await slow.read(into) ?? left;
    await clock.advance(10_000);
    assertEquals((await confirmed)?.code, "ETIMEDOUT");
    assertEquals(ended.length, 1);
  });

  it("stops reading for a reader that stalls, holds little, and goes on with it", async () => {
    const { server, session, close } = sessionPair(64 * 1024);
    const stream = session.connect(80);
    await settled();
    let sent = 0;
    const sending = (async () => {
      for (; sent < 100; sent++) await server.last.write(new Uint8Array(20_000).fill(sent));
      await server.last.finish();
    })();
    await settled();
    assertEquals([stream.stalled, sent < 25], [true, true], `${sent} frames were taken`);
    const all = await readAll(stream, 30_000);
    await sending;
    assertEquals(all.length, 2_000_000);
    assertEquals(all.every((byte, at) => byte === Math.floor(at / 20_000)), true);
    assertEquals(stream.stalled, false);
    await close();
  });

  it("goes on for the others once a stalled stream is reset or closed", async () => {
    for (const end of ["reset", "close"] as const) {
      const { server, session, close } = sessionPair(64 * 1024);
      const stalled = session.connect(80);
      await settled();
      const flood = server.last;
      const other = session.connect(81);
      await settled();
      const quiet = server.last;
      const sending = flood.write(new Uint8Array(150_000)).then(() => quiet.write("still here"));
      await settled();
      assertEquals(stalled.stalled, true);
      const reading = read(other);
      stalled[end]();
      assertEquals(await reading, 10);
      await sending;
      await close();
    }
  });

  it("does not take silence for death while a reader stalls it", async () => {
    const { clock, server, session, ended, close } = sessionPair(1024 * 1024);
    const stream = session.connect(80);
    await settled();
    await server.last.write(new Uint8Array(300_000));
    await clock.advance(60_000);
    assertEquals([stream.stalled, ended.length], [true, 0]);
    await close();
  });

  it("does not take silence for death while the pod takes nothing of an upload, and goes on with it", async () => {
    const { clock, server, session, ended, close } = sessionPair(1000);
    const stream = session.connect(80);
    await settled();
    server.reads = false;
    const writing = stream.write(new Uint8Array(100_000));
    await clock.advance(120_000);
    assertEquals(ended.length, 0);
    server.reads = true;
    await writing;
    await clock.advance(30_000);
    assertEquals([ended.length, session.open, server.last.received.length], [0, true, 100_000]);
    await close();
  });

  it("takes no more streams once an upload was broken off that nobody took", async () => {
    const { clock, server, session, ended } = sessionPair(1000);
    const stream = session.connect(80);
    await settled();
    server.reads = false;
    const outcome = assertRejects(() => stream.write(new Uint8Array(100_000)), Error);
    await clock.advance(1_001);
    stream.reset();
    await outcome;
    assertEquals([session.open, ended.length], [false, 1]);
    server.reads = true;
  });

  it("takes no more streams after much came for one that is gone, and ends with its last", async () => {
    const { server, session, ended } = sessionPair(1024 * 1024);
    const gone = session.connect(80);
    await settled();
    const flood = server.last;
    const other = session.connect(81);
    await settled();
    gone.reset();
    await settled();
    assertEquals([session.open, flood.cancelled], [true, true]);
    await flood.write(new Uint8Array(300_000));
    await settled();
    assertEquals([session.open, ended.length], [false, 0]);
    const finished = readAll(other);
    await server.last.write("done");
    await server.last.finish();
    assertEquals(text(await finished), "done");
    await settled();
    assertEquals(ended.length, 1);
  });

  it("takes no more streams once a large download was broken off", async () => {
    const { server, session, ended } = sessionPair(1024 * 1024);
    const stream = session.connect(80);
    await settled();
    await server.last.write(new Uint8Array(300_000));
    const into = new Uint8Array(65536);
    for (let left = 300_000; left > 0;) left -= await stream.read(into) ?? left;
    stream.reset();
    await settled();
    assertEquals([session.open, ended.length], [false, 1]);
  });

  it("takes no more streams after one that ended with bytes which nobody may have read", async () => {
    const ends: ReadonlyArray<(server: SpdyServer, stream: ForwardStream) => void> = [
      (server) => void server.last.refuse(),
      (server) => void server.last.finish(),
      (_, stream) => stream.reset(),
      (_, stream) => stream.close(),
    ];
    for (const end of ends) {
      const { server, session, ended } = sessionPair();
      const [other, stream] = [session.connect(80), session.connect(81)];
      await stream.write(bytes("GET /"));
      await settled();
      end(server, stream);
      await settled();
      assertEquals([session.open, ended.length], [false, 0], `${end}`);
      other.close();
      await settled();
      assertEquals(ended.length, 1);
    }
  });

  it("goes on after a stream whose bytes were read, or that sent none", async () => {
    const { clock, server, session, close } = sessionPair();
    server.onConnection = (connection) => void (connection.port === 81 && connection.refuse());
    session.connect(81);
    await settled();
    const answered = session.connect(80);
    await answered.write(bytes("GET /"));
    await settled();
    await server.last.write("200");
    assertEquals(await read(answered), 3);
    answered.close();
    const told = session.connect(80);
    await told.write(bytes("a line of a log"));
    await settled();
    await clock.advance(1_000);
    await server.last.finish();
    await settled();
    assertEquals([session.open, session.live.length], [true, 0]);
    await close();
  });

  it("fails every stream when the API server hangs up, resets, or says GOAWAY", async () => {
    const ends: ReadonlyArray<(server: SpdyServer) => void> = [
      (server) => server.reset(),
      (server) => void server.send(controlFrame(7, [0, 0])),
      (server) => void server.send(Uint8Array.from([0x80, 2, 0, 1, 0, 0, 0, 0])),
    ];
    for (const end of ends) {
      const { clock, server, session, ended } = sessionPair();
      const streams = [session.connect(80), session.connect(81)];
      await settled();
      const readings = streams.map((stream) => failure(read(stream)));
      end(server);
      for (const reading of readings) assertEquals((await reading).code, "ECONNRESET");
      for (const stream of streams) await failure(stream.write(bytes("late")));
      await settled();
      assertEquals([ended.length, session.open, clock.pending], [1, false, 0]);
      await assertRejects(async () => await session.connect(82).write(bytes("x")));
    }
  });

  it("settles a write that the carrier does not take when the session ends", async () => {
    const { server, session } = sessionPair(1000);
    server.reads = false;
    const stream = session.connect(80);
    const writing = stream.write(new Uint8Array(200_000));
    const outcome = assertRejects(() => writing, Error);
    await settled();
    session.close();
    await outcome;
    server.reads = true;
  });

  it("keeps nothing of 10,000 streams that are over", async () => {
    const { clock, server, session, close } = sessionPair();
    server.onData = (connection, data) => {
      server.send(
        dataFrame(connection.dataId, data),
        dataFrame(connection.dataId, new Uint8Array(0), true),
        dataFrame(connection.errorId, new Uint8Array(0), true),
      );
    };
    let lastId = 0;
    for (let turn = 0; turn < 10_000; turn++) {
      const stream = session.connect(80);
      lastId = stream.id;
      await stream.write(bytes("x"));
      assertEquals(await read(stream), 1);
      assertEquals(await read(stream), null);
      if (turn % 3 === 0) await stream.closeWrite();
      stream.close();
    }
    assertEquals([session.open, session.live.length, lastId], [true, 0, 39_999]);
    assertEquals(clock.pending, 1, "only the PING's timer is set");
    assertEquals(Deno.inspect(session, { depth: 2, colors: false, iterableLimit: 5 }).includes("ForwardStream"), false);
    await close();
  });
});
