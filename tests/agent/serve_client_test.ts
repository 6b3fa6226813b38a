import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { settled, until } from "../fake_clock.ts";
import type { End } from "../stream/end.ts";
import { marked, withAgent } from "./agent_scene.ts";
import { speakHttp } from "./speak_http.ts";

/** Says its name, then sends back what it hears until the client has ended its direction. */
const greeting = (name: string) => async (end: End) => {
  await end.send(`${name} `);
  await end.send(await end.rest());
};

/** Sends back what it hears with its name before, once the client has ended its direction. */
const listening = (name: string) => async (end: End) => await end.send(`${name} ${await end.rest()}`);

const clientHello = "\x16\x03\x01\0\x05\x01\0\0\x01\0";

describe("serveClient", () => {
  it("hands TLS on whole, to the original pods or to who exchanges the port, and never to a mark's owner", async () => {
    await withAgent(async (scene) => {
      const alice = await scene.laptop("alice", listening("alice")), bob = await scene.laptop("bob", listening("bob"));
      await bob.rule(scene.rule([marked]));
      for (const who of ["origin", "alice"]) {
        if (who === "alice") await alice.rule(scene.rule());
        const client = await scene.connect();
        await client.send(clientHello);
        await client.stream.closeWrite();
        assertEquals(await client.rest(), `${who} ${clientHello}`);
      }
      await until(() => bob.events.length >= 2);
      assertEquals(bob.events, [{ event: "encrypted", port: scene.port }, { event: "joined", owner: "alice" }]);
      assertEquals(alice.events, [{ event: "joined", owner: "bob" }]);
    }, { origin: listening("origin") });
  });

  it("lets a server speak first, once the client has been silent for a moment", async () => {
    await withAgent(async (scene) => {
      for (const who of ["origin", "alice"]) {
        if (who === "alice") await (await scene.laptop("alice", greeting("alice"))).rule(scene.rule());
        const client = await scene.connect();
        await settled();
        await scene.clock.advance(100);
        assertEquals(await client.text(who.length + 1), `${who} `);
        await client.send("GET / HTTP/1.1\r\n\r\n");
        await client.stream.closeWrite();
        assertEquals(await client.rest(), "GET / HTTP/1.1\r\n\r\n");
      }
    }, { origin: greeting("origin") });
  });

  it("still tells the requests of a silent client apart when it begins to ask", async () => {
    await withAgent(async (scene) => {
      await (await scene.laptop("alice")).rule(scene.rule([marked]));
      const client = await scene.connect();
      await settled();
      await scene.clock.advance(100);
      await until(() => scene.originConnections === 1);
      for (const [who, mark] of [["alice", "Version: alice\r\n"], ["origin", ""]]) {
        await client.send(`GET / HTTP/1.1\r\nHost: x\r\n${mark}\r\n`);
        await client.head();
        assertEquals(await client.text(`${who} GET / 0`.length), `${who} GET / 0`);
      }
      assertEquals(scene.originConnections, 1);
    });
  });

  it("takes a request line that comes in pieces, and one that never ends for something else", async () => {
    await withAgent(async (scene) => {
      await (await scene.laptop("alice", speakHttp("alice"))).rule(scene.rule([marked]));
      const client = await scene.connect();
      for (const piece of ["GE", "T /x HT", "TP/1.1\r", "\nVersion: alice\r\n\r\n"]) {
        await client.send(piece);
        await settled(3);
      }
      await client.head();
      assertEquals(await client.text(14), "alice GET /x 0");
      const other = await scene.connect();
      await other.send("GET ");
      await until(() => scene.told.length > 0);
      await settled(50);
      await scene.clock.advance(1000);
      await other.stream.closeWrite();
      assertEquals(await other.rest(), "");
      assertEquals(scene.originConnections, 1);
    });
  });

  it("falls back to the original pods where the laptop does not take a connection, or resets it where the rule says so", async () => {
    const refusing = { ok: false, kind: "refused", error: "nothing listens" } as const;
    await withAgent(async (scene) => {
      const alice = await scene.laptop("alice", refusing);
      await alice.rule(scene.rule());
      const client = await scene.connect();
      await client.send(clientHello);
      await client.stream.closeWrite();
      assertEquals(await client.rest(), `origin ${clientHello}`);
      await alice.rule(scene.rule([], "error"));
      const next = await scene.connect();
      await next.send(clientHello);
      await assertRejects(() => next.rest(), Error);
    }, { origin: listening("origin") });
  });

  it("resets a connection that the original pods refuse, as they would", async () => {
    await withAgent(async (scene) => {
      const client = await scene.connect();
      await client.send(clientHello);
      await assertRejects(() => client.rest(), Error);
    }, { origin: "refuses" });
  });

  it("resets the connections of a laptop that dies, so that half an answer is never taken for a whole one", async () => {
    await withAgent(async (scene) => {
      const alice = await scene.laptop("alice", async (end) => {
        await end.send("half");
        await new Promise(() => {});
      });
      await alice.rule(scene.rule());
      const client = await scene.connect();
      await client.send(clientHello);
      assertEquals(await client.text(4), "half");
      alice.kill();
      await assertRejects(() => client.rest(), Error);
    });
  });
});
