import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import http2 from "node:http2";
import type { ControlEvent, Seen } from "../../src/agent/protocol.ts";
import { SeenReport } from "../../src/agent/seen_report.ts";
import { seenRequest } from "../../src/agent/seen_request.ts";
import { nodeDuplex } from "../../src/stream/node_duplex.ts";
import { FakeClock, settled, until } from "../fake_clock.ts";
import { type AgentScene, withAgent } from "./agent_scene.ts";
import type { FakeLaptop, Program } from "./fake_laptop.ts";
import { speakHttp2 } from "./speak_http2.ts";

/** A laptop that has exchanged the port and wants to know what comes. */
async function observer(scene: AgentScene, program?: Program): Promise<FakeLaptop> {
  const laptop = await scene.laptop("alice", program);
  await laptop.ask({ type: "rules", rules: [scene.rule([], "error")], observe: true });
  return laptop;
}

/** What a laptop has been told once there is so much, without what is the same for all, and what takes as long as it takes. */
async function told(scene: AgentScene, laptop: FakeLaptop, count: number): Promise<unknown[]> {
  const all = () => laptop.events.flatMap((event) => event.event === "seen" ? event.seen : []);
  await advanceUntil(scene, () => all().length >= count);
  return all().map(({ rule, remote, ...rest }) => {
    assertEquals([rule, remote], ["rule 1", "127.0.0.1"]);
    return "ms" in rest ? { ...rest, ms: 0 } : rest;
  });
}

/** Moves time on, in steps as long as a report takes, and lets sockets follow. */
async function advanceUntil({ clock }: AgentScene, condition: () => boolean): Promise<void> {
  for (let step = 0; !condition(); step++) {
    assert(step < 100, "nothing was told in 20 s");
    await clock.advance(200);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const request = { kind: "request", ms: 0 };

describe("what comes to a laptop", () => {
  it("is told request by request, without queries, where the laptop asks for it", async () => {
    await withAgent(async (scene) => {
      const laptop = await observer(scene);
      const client = await scene.connect();
      for (const target of ["/orders?token=secret", "http://orders/a"]) {
        await client.send(`POST ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc`);
        await client.reader.head();
        await client.text(`alice POST ${target} 3`.length);
      }
      laptop.program = { ok: false, kind: "refused", error: "nothing listens" };
      await client.stream.closeWrite();
      const refused = await scene.connect();
      await refused.send("GET /late HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      assertMatch(await refused.rest(), /^HTTP\/1.1 502/);
      assertEquals(await told(scene, laptop, 3), [
        { ...request, method: "POST", path: "/orders", status: 200, bytes: 33 },
        { ...request, method: "POST", path: "/a", status: 200, bytes: 28 },
        { ...request, method: "GET", path: "/late", status: 502, bytes: 0 },
      ]);
    });
  });

  it("is told of a client that leaves without its answer", async () => {
    await withAgent(async (scene) => {
      const laptop = await observer(scene, async (end) => void await end.rest());
      const client = await scene.connect();
      await client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
      await until(() => laptop.deliveries.length === 1);
      client.stream.reset();
      assertEquals(await told(scene, laptop, 1), [{ ...request, method: "GET", path: "/slow", status: 0, bytes: 0 }]);
    });
  });

  it("is told stream by stream of HTTP/2", async () => {
    const program = speakHttp2((stream) => {
      stream.respond({ ":status": 201 });
      stream.end("answer");
    });
    await withAgent(async (scene) => {
      const laptop = await observer(scene, program);
      const wire = nodeDuplex((await scene.connect()).stream);
      const closed = new Promise<void>((resolve) => wire.on("close", resolve));
      const session = http2.connect("http://orders", { createConnection: () => wire });
      session.on("error", () => {});
      try {
        for (const path of ["/one?x=1", "/two"]) {
          const stream = session.request({ ":path": path });
          stream.resume();
          await new Promise((resolve) => stream.on("end", resolve));
        }
        assertEquals(await told(scene, laptop, 2), [
          { ...request, method: "GET", path: "/one", status: 201, bytes: 6 },
          { ...request, method: "GET", path: "/two", status: 201, bytes: 6 },
        ]);
      } finally {
        session.destroy();
        await closed;
      }
    });
  });

  it("is told of other protocols by connections, opened and closed", async () => {
    await withAgent(async (scene) => {
      const laptop = await observer(scene, async (end) => await end.send(`got ${await end.rest()}`));
      const client = await scene.connect();
      await client.send("\x16\x03hello");
      assertEquals(await told(scene, laptop, 1), [{ kind: "opened" }]);
      await client.stream.closeWrite();
      assertEquals(await client.rest(), "got \x16\x03hello");
      assertEquals(await told(scene, laptop, 2), [{ kind: "opened" }, {
        kind: "closed",
        ms: 0,
        sent: 7,
        received: 11,
      }]);
    });
  });

  it("is not told where the laptop does not ask", async () => {
    await withAgent(async (scene) => {
      const laptop = await scene.laptop("alice");
      await laptop.rule(scene.rule());
      const client = await scene.connect();
      await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      await client.rest();
      await advanceUntil(scene, () => laptop.events.length > 0);
      assertEquals(laptop.events.map(({ event }) => event), ["served"]);
    });
  });
});

describe("SeenReport", () => {
  const seen: Seen = { kind: "opened", rule: "r", remote: "10.0.0.1" };

  it("keeps no more than so much while the laptop does not read, and says how much it missed", async () => {
    const clock = new FakeClock();
    const events: ControlEvent[] = [];
    let read = () => {};
    const report = new SeenReport((event) => {
      events.push(event);
      return new Promise((resolve) => read = resolve);
    }, clock);
    for (let i = 0; i < 1000; i++) report.add(seen);
    await clock.advance(10_000);
    assertEquals(events.length, 1, "the first line is not read yet");
    for (let i = 0; i < 8; i++) {
      read();
      await settled();
    }
    const all = events.flatMap((event) => event.event === "seen" ? [event] : []);
    assertEquals(all.reduce((sum, { seen, missed }) => sum + seen.length + missed, 0), 1000);
    assertEquals(all.map(({ missed }) => missed), [0, 0, 0, 0, 0, 0, 0, 600]);
    report.add(seen);
    report.close();
    await clock.advance(10_000);
    assertEquals(events.length, 8);
  });
});

describe("seenRequest", () => {
  it("is printable ASCII without a query, of bounded length, whatever the client sent", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary", maxLength: 2000 }), (method, target) => {
        const told = seenRequest(method, target);
        assertMatch(told.method + told.path, /^[\x21-\x7e]*$/);
        assert(told.method.length <= 35 && told.path.length <= 303);
        assert(!told.path.includes("?"));
      }),
    );
  });
});
