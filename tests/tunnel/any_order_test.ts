import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { silentLog } from "../../src/platform/log.ts";
import type { ForwardStream } from "../../src/tunnel/forward_stream.ts";
import { SessionPool } from "../../src/tunnel/session_pool.ts";
import { plainWire } from "../../src/tunnel/wire.ts";
import { FakeClock, settled } from "../fake_clock.ts";
import { duplexPair } from "../stream/duplex_pair.ts";
import { controlFrame, type PodConnection, SpdyServer } from "./spdy_server.ts";

const clientActions = ["read", "write", "write much", "closeWrite", "close", "reset"] as const;
const podActions = ["write", "write much", "finish", "refuse", "fail", "rst"] as const;
const serverActions = ["hang up", "deaf", "hears", "mute", "go away", "ping"] as const;

const anyStep = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("connect" as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("client" as const),
      at: fc.nat(9),
      what: fc.constantFrom(...clientActions),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("pod" as const), at: fc.nat(9), what: fc.constantFrom(...podActions) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("server" as const),
      at: fc.nat(9),
      what: fc.constantFrom(...serverActions),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("time" as const), ms: fc.constantFrom(0, 1, 100, 3_000, 11_000) }),
  },
);

function act(connection: PodConnection, server: SpdyServer, what: (typeof podActions)[number]): void {
  switch (what) {
    case "write":
      return void connection.write("some words");
    case "write much":
      return void connection.write(new Uint8Array(90_000));
    case "finish":
      return void connection.finish();
    case "refuse":
      return void connection.refuse();
    case "fail":
      return void connection.fail("connection reset by peer");
    case "rst":
      return void server.send(controlFrame(3, [connection.dataId, 5]), controlFrame(3, [connection.errorId, 5]));
  }
}

function misbehave(server: SpdyServer, what: (typeof serverActions)[number]): void {
  switch (what) {
    case "hang up":
      return server.reset();
    case "deaf":
      server.reads = false;
      return;
    case "hears":
      server.reads = true;
      return;
    case "mute":
      server.answersPings = server.accepts = false;
      return;
    case "go away":
      return void server.send(controlFrame(7, [0, 0]));
    case "ping":
      return void server.send(controlFrame(6, [2]));
  }
}

describe("sessions in any order of events", () => {
  it("settle every promise and keep no stream, session or timer", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 10, maxLength: 100, size: "max" }), async (steps) => {
        const clock = new FakeClock();
        const servers: SpdyServer[] = [];
        const pool = new SessionPool(() => {
          const [client, far] = duplexPair(20_000);
          servers.push(new SpdyServer(far));
          return Promise.resolve(plainWire(client, (into) => client.read(into)));
        }, { clock, log: silentLog });
        const streams: ForwardStream[] = [];
        const busy = new Map<ForwardStream, Set<string>>();
        let pending = 0;
        const watch = (promise: Promise<unknown>, after = () => {}) => {
          pending++;
          promise.catch(() => {}).finally(() => {
            pending--;
            after();
          });
        };
        /** At most one read and one write of a stream may be under way. */
        const alone = (stream: ForwardStream, kind: string, begin: () => Promise<unknown>) => {
          const now = busy.get(stream) ?? new Set();
          busy.set(stream, now);
          if (now.has(kind)) return;
          now.add(kind);
          watch(begin(), () => now.delete(kind));
        };
        const signal = new AbortController().signal;
        for (const step of steps) {
          if (step.do === "connect") {
            watch(
              pool.connect(80, signal).then((stream) => {
                streams.push(stream);
                watch(stream.confirmed(30));
              }),
            );
          } else if (step.do === "client") {
            const stream = streams[step.at % streams.length];
            if (!stream) continue;
            if (step.what === "read") alone(stream, "read", () => stream.read(new Uint8Array(30_000)));
            else if (step.what === "write") alone(stream, "write", () => stream.write(new Uint8Array(10)));
            else if (step.what === "write much") alone(stream, "write", () => stream.write(new Uint8Array(150_000)));
            else if (step.what === "closeWrite") watch(stream.closeWrite());
            else stream[step.what]();
          } else if (step.do === "pod") {
            const opened = servers.flatMap((server) => server.opened.map((connection) => ({ server, connection })));
            const found = opened[step.at % opened.length];
            if (found) act(found.connection, found.server, step.what);
          } else if (step.do === "server") {
            const server = servers[step.at % servers.length];
            if (server) misbehave(server, step.what);
          } else {
            await clock.advance(step.ms);
          }
          await settled(2);
        }
        await settled();
        pool.close();
        await settled();
        for (const server of servers) server.reads = true;
        await Promise.all(servers.map((server) => server.ended));
        await settled();
        assertEquals({ pending, sessions: pool.size, timers: clock.pending }, { pending: 0, sessions: 0, timers: 0 });
        assertEquals(streams.filter((stream) => stream.live || !stream.ended || stream.stalled).length, 0);
      }),
      { numRuns: 150 },
    );
  });
});
