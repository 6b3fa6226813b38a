import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { silentLog } from "../../src/platform/log.ts";
import type { ForwardStream } from "../../src/tunnel/forward_stream.ts";
import { SessionPool } from "../../src/tunnel/session_pool.ts";
import { plainWire, type Wire } from "../../src/tunnel/wire.ts";
import { FakeClock, settled } from "../fake_clock.ts";
import { duplexPair } from "../stream/duplex_pair.ts";
import { SpdyServer } from "./spdy_server.ts";

const never = new AbortController().signal;
const bytes = (text: string) => new TextEncoder().encode(text);

/** A pool whose pod is in memory: every session has its own server. */
function pooled(capacity?: number) {
  const clock = new FakeClock();
  const servers: SpdyServer[] = [];
  const held: Array<() => void> = [];
  const control = { hold: false, failure: undefined as Error | undefined, failures: Infinity };
  const pool = new SessionPool(async (signal): Promise<Wire> => {
    if (control.hold) {
      await new Promise<void>((resolve, reject) => {
        held.push(resolve);
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    }
    if (control.failure && control.failures-- > 0) throw control.failure;
    const [client, far] = duplexPair(capacity);
    servers.push(new SpdyServer(far));
    return plainWire(client, (into) => client.read(into));
  }, { clock, log: silentLog });
  return {
    clock,
    pool,
    servers,
    control,
    /** Lets those go on that `hold` has stopped. */
    release: () => held.splice(0).forEach((resolve) => resolve()),
    get held() {
      return held.length;
    },
    connect: (signal = never) => pool.connect(80, signal),
    async close() {
      pool.close();
      await Promise.all(servers.map((server) => server.ended));
      await settled();
      assertEquals([pool.size, clock.pending], [0, 0], "sessions or timers are left over");
    },
  };
}

/** What the servers have live at present, session by session. */
const loads = (servers: readonly SpdyServer[]) => servers.filter(({ over }) => !over).map(({ live }) => live);

/** Has the pod end the only connection there is, and the client with it. */
async function finish(stream: ForwardStream, servers: readonly SpdyServer[]): Promise<void> {
  const [server, ...others] = servers.filter(({ live }) => live > 0);
  assertEquals([server?.live, others.length], [1, 0]);
  await server?.last.finish();
  assertEquals(await stream.read(new Uint8Array(1)), null);
  stream.close();
}

describe("SessionPool", () => {
  it("opens a session for the first connection, and a spare behind it", async () => {
    const { pool, servers, connect, close } = pooled();
    assertEquals(pool.empty, true);
    await connect();
    await settled();
    assertEquals([pool.size, loads(servers)], [2, [1, 0]]);
    await close();
    assertEquals(pool.empty, true);
  });

  it("serves one connection after another in the same session", async () => {
    const { pool, servers, connect, close } = pooled();
    for (let turn = 0; turn < 100; turn++) {
      const stream = await connect();
      await settled(2);
      await finish(stream, servers);
    }
    await settled();
    assertEquals([pool.size, servers.length], [2, 2], "no session was opened that was not needed");
    await close();
  });

  it("gives up to 24 connections a session each, and a spare until then", async () => {
    const { pool, servers, connect, close } = pooled();
    for (let count = 1; count <= 24; count++) {
      await connect();
      await settled();
      assertEquals(pool.size, Math.min(24, count + 1));
    }
    assertEquals(loads(servers), new Array(24).fill(1));
    await close();
  });

  it("has newcomers beyond 24 share the sessions that have been quiet longest", async () => {
    const { clock, servers, connect, close } = pooled();
    const streams: ForwardStream[] = [];
    for (let count = 0; count < 24; count++) {
      streams.push(await connect());
      await clock.advance(10);
    }
    await streams[0]!.write(bytes("not so quiet"));
    await clock.advance(10);
    const order = servers.map((server) => server.opened.length > 0);
    assertEquals(order.every(Boolean), true);
    const busiest = servers.find(({ last }) => last.received !== "")!;
    for (let count = 0; count < 23; count++) {
      await connect();
      await clock.advance(10);
    }
    assertEquals(busiest.live, 1);
    assertEquals(loads(servers).toSorted(), [1, ...new Array(23).fill(2)]);
    await connect();
    await settled();
    assertEquals(busiest.live, 2, "it has now been quiet longest");
    await close();
  });

  it("never has a newcomer share with a bulk transfer or a stalled reader, up to 64 sessions", async () => {
    const { pool, servers, connect, close } = pooled(1024 * 1024);
    const streams: ForwardStream[] = [];
    for (let count = 0; count < 24; count++) streams.push(await connect());
    await settled();
    // Half of them have moved much, half have readers that stall.
    const sessionOf = (stream: ForwardStream) => servers[streams.indexOf(stream)]!;
    for (const [index, stream] of streams.entries()) {
      if (index % 2 === 0) await stream.write(new Uint8Array(300_000));
      else await sessionOf(stream).last.write(new Uint8Array(200_000));
    }
    await settled();
    assertEquals(loads(servers), new Array(24).fill(1));
    await connect();
    await settled();
    assertEquals([pool.size, loads(servers).at(-1)], [25, 1]);
    await connect();
    await settled();
    assertEquals([pool.size, loads(servers).at(-1)], [25, 2], "the quiet one is shared");
    await close();
  });

  it("never gives a session away whose half-closed client still downloads", async () => {
    const { pool, servers, connect, close } = pooled();
    const download = await connect();
    await settled();
    const server = servers[0]!;
    await download.write(bytes("send me all"));
    await download.closeWrite();
    await server.last.write("a beginning");
    await settled();
    await connect();
    await connect();
    await settled();
    assertEquals([server.live, pool.size], [1, 4]);
    await close();
  });

  it("serves a burst of 300 that comes before any session stands, over 24 sessions", async () => {
    const all = pooled();
    all.control.hold = true;
    const connecting = Array.from({ length: 300 }, () => all.connect());
    await settled();
    assertEquals(all.held, 24);
    all.control.hold = false;
    all.release();
    await Promise.all(connecting);
    await settled();
    assertEquals([all.pool.size, loads(all.servers).reduce((sum, each) => sum + each, 0)], [24, 300]);
    assertEquals(Math.max(...loads(all.servers)) < 20, true, String(loads(all.servers)));
    await all.close();
  });

  it("serves the rest of a burst although some sessions could not be opened", async () => {
    const all = pooled();
    all.control.hold = true;
    const connecting = Array.from(
      { length: 100 },
      () => all.connect().then(() => "connected", (error) => error.message),
    );
    await settled();
    all.control.hold = false;
    all.control.failure = new Error("too busy");
    all.control.failures = 30;
    all.release();
    const outcomes = await Promise.all(connecting);
    assertEquals(outcomes.filter((each) => each === "too busy").length, 30);
    assertEquals(outcomes.filter((each) => each === "connected").length, 70);
    await all.close();
  });

  it("rejects as opening a session did, one connection for each attempt", async () => {
    const { pool, control, connect, close } = pooled();
    control.failure = new Error("no way in");
    for (const outcome of await Promise.allSettled([connect(), connect(), connect()])) {
      assertEquals(outcome.status === "rejected" && outcome.reason.message, "no way in");
    }
    assertEquals(pool.empty, true);
    control.failure = undefined;
    await connect();
    await close();
  });

  it("does not fail a connection because a spare could not be opened", async () => {
    const { control, servers, connect, close } = pooled();
    const first = await connect();
    await settled();
    control.failure = new Error("no spare today");
    const second = await connect();
    await settled();
    await Promise.all([first, second].map((stream) => stream.write(bytes("x"))));
    await settled();
    assertEquals(servers.map(({ last }) => last.received), ["x", "x"]);
    await close();
  });

  it("gives up waiting with the signal's reason, and lets the others have what comes", async () => {
    const all = pooled();
    all.control.hold = true;
    const controller = new AbortController();
    const given = all.connect(controller.signal);
    const kept = all.connect();
    await settled();
    controller.abort(new Error("not any more"));
    assertEquals((await assertRejects(() => given, Error)).message, "not any more");
    all.control.hold = false;
    all.release();
    await kept;
    await settled();
    assertEquals(loads(all.servers), [1, 0], "what the other one wanted is the spare");
    controller.abort();
    assertEquals((await assertRejects(() => all.connect(controller.signal), Error)).message, "not any more");
    await all.close();
  });

  it("serves those who wait although a session ends meanwhile", async () => {
    const { pool, servers, connect, control, release, close } = pooled();
    const first = await connect();
    await settled();
    control.hold = true;
    await connect();
    const waiting = connect();
    servers[0]!.reset();
    await assertRejects(() => first.read(new Uint8Array(1)));
    control.hold = false;
    release();
    await waiting;
    await settled();
    assertEquals(pool.size >= 2, true);
    await close();
  });

  it("forgets a session that ended, and opens another for the next connection", async () => {
    const { pool, servers, connect, close } = pooled();
    const stream = await connect();
    await settled();
    for (const server of servers) server.reset();
    await assertRejects(() => stream.read(new Uint8Array(1)));
    await settled();
    assertEquals(pool.size, 0);
    const next = await connect();
    await next.write(bytes("again"));
    await settled();
    assertEquals(servers[2]!.last.received, "again");
    await close();
  });

  it("drops the spares with a session that fell silent, as the way they came is the same", async () => {
    const { clock, pool, servers, connect, close } = pooled();
    const stream = await connect();
    await settled();
    assertEquals(pool.size, 2);
    servers[0]!.answersPings = false;
    await clock.advance(15_000);
    await assertRejects(() => stream.read(new Uint8Array(1)));
    await settled();
    assertEquals(pool.size, 0);
    await close();
  });

  it("knows a dead way from a pod that takes nothing of an upload by what the spare hears", async () => {
    const { clock, pool, servers, connect, close } = pooled(1000);
    const stream = await connect();
    await settled();
    servers[0]!.reads = false;
    const uploading = stream.write(new Uint8Array(100_000));
    let broken = false;
    uploading.catch(() => broken = true);
    await clock.advance(60_000);
    assertEquals([broken, pool.size], [false, 2]);
    servers[1]!.answersPings = false;
    await clock.advance(15_000);
    assertEquals([broken, pool.size], [true, 0]);
    servers[0]!.reads = true;
    await close();
  });

  it("gives the spares of a burst back after half a minute, and the last five minutes after the last connection", async () => {
    const { clock, pool, servers, connect, close } = pooled();
    const streams: ForwardStream[] = [];
    for (let count = 0; count < 10; count++) streams.push(await connect());
    await settled();
    for (const stream of streams) stream.close();
    await settled();
    assertEquals(pool.size >= 10, true);
    await clock.advance(29_000);
    assertEquals(pool.size >= 10, true);
    await clock.advance(20_000);
    assertEquals(pool.size, 1);
    await clock.advance(240_000);
    assertEquals(pool.size, 1);
    await clock.advance(30_000);
    assertEquals([pool.size, pool.empty], [0, true]);
    assertEquals(servers.every(({ over }) => over), true);
    assertEquals(clock.pending, 0);
    await close();
  });

  it("never trims a session that is in use, however long it is quiet", async () => {
    const { clock, pool, connect, close } = pooled();
    const stream = await connect();
    await clock.advance(3_600_000);
    assertEquals([pool.size, stream.live], [1, true]);
    await close();
  });

  it("opens no session for the half-hour of a program that keeps one connection", async () => {
    const { clock, servers, connect, close } = pooled();
    const stream = await connect();
    await settled();
    const server = servers[0]!;
    server.onData = (connection, data) => void connection.write(data);
    for (let turn = 0; turn < 180; turn++) {
      await stream.write(bytes("x"));
      await stream.read(new Uint8Array(1));
      await clock.advance(10_000);
    }
    assertEquals(servers.length, 2);
    await close();
  });

  it("ends everything when it is closed: connections, those who wait, and what is being opened", async () => {
    const all = pooled();
    const stream = await all.connect();
    await settled();
    all.control.hold = true;
    await all.connect();
    const waiting = all.connect();
    const outcome = assertRejects(() => waiting, DOMException, "closed");
    await settled();
    await all.close();
    await outcome;
    await assertRejects(() => stream.read(new Uint8Array(1)), Error, "closed");
    await assertRejects(() => all.connect(), DOMException, "closed");
    all.pool.close();
  });

  it("keeps nothing of 3,000 connections that are over", async () => {
    const { clock, pool, servers, connect, close } = pooled();
    for (let turn = 0; turn < 3_000; turn++) {
      const stream = await connect();
      if (turn % 2 === 0) stream.reset();
      else stream.close();
    }
    await settled();
    assertEquals(servers.length <= 3, true, `${servers.length} sessions were opened`);
    assertEquals(clock.pending, pool.size + 1, "a PING's timer each, and the pool's own");
    await close();
  });
});
