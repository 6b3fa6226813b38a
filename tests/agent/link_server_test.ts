import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { formatJsonLine } from "../../src/agent/json_line.ts";
import { listenTcp } from "../../src/stream/listen_tcp.ts";
import { settled, until } from "../fake_clock.ts";
import { End } from "../stream/end.ts";
import { type AgentScene, hello, marked, withAgent } from "./agent_scene.ts";
import { FakeLaptop } from "./fake_laptop.ts";
import { speakHttp } from "./speak_http.ts";

/** Whom a request with a mark reaches. */
async function reached(scene: AgentScene, mark = "alice"): Promise<string> {
  const client = await scene.connect();
  await client.send(`GET / HTTP/1.1\r\nHost: x\r\nVersion: ${mark}\r\nConnection: close\r\n\r\n`);
  return /\r\n\r\n(\w+)/.exec(await client.rest())?.[1] ?? "nobody";
}

describe("LinkServer", () => {
  const shake = async (scene: AgentScene, greeting: unknown) =>
    await FakeLaptop.open(await scene.connectLink(), greeting, speakHttp("x"), scene.clock);

  it("lets nobody in without the token, and does not log it", async () => {
    await withAgent(async (scene) => {
      for (const token of ["", "secre", "secrets", "Secret"]) {
        await assertRejects(
          () => shake(scene, { ...hello("eve"), token }),
          Error,
          "The token is not that of the agent",
        );
      }
      assertEquals(scene.told.filter((line) => /secre/i.test(line)), []);
    });
  });

  it("takes any version that both know, and says who is too old where there is none", async () => {
    await withAgent(async (scene) => {
      const laptop = await shake(scene, { ...hello("alice"), hawser: { lowest: 1, highest: 7 } });
      laptop.close();
      const newer = { ...hello("bob"), hawser: { lowest: 2, highest: 3 } };
      await assertRejects(() => shake(scene, newer), Error, 'the agent of "dev/orders" is too old for this hawser');
      const older = { ...hello("bob"), hawser: { lowest: 0, highest: 0 } };
      await assertRejects(() => shake(scene, older), Error, 'this hawser is too old for the agent of "dev/orders"');
    });
  });

  it("ends what does not shake hands: silence, noise, lines without end", async () => {
    await withAgent(async (scene) => {
      const silent = new End(await scene.connectLink());
      await settled();
      await scene.clock.advance(10_000);
      await assertRejects(() => silent.rest(), Error);
      const long = new End(await scene.connectLink());
      await long.send("x".repeat(70_000)).catch(() => {});
      await assertRejects(() => long.rest(), Error);
      await fc.assert(
        fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (noise) => {
          const end = new End(await scene.connectLink());
          await end.send(`${noise.replaceAll("\n", "")}\n`);
          await assertRejects(() => end.rest(), Error);
        }),
        { numRuns: 30 },
      );
    });
  });

  it("ends a link that talks nonsense on its control stream, and nobody else's", async () => {
    await withAgent(async (scene) => {
      const bob = await scene.laptop("bob");
      await bob.rule(scene.rule());
      for (
        const nonsense of [{}, [], { seq: 1, type: "what" }, { seq: -1, type: "owners" }, {
          seq: 1,
          type: "rules",
          rules: [{}],
        }]
      ) {
        const alice = await scene.laptop("alice");
        await alice.say(nonsense);
        await alice.ended;
      }
      assertEquals(await reached(scene), "bob");
    });
  });
});

describe("the agent's links", () => {
  it("two_developers_mesh_one_service: each hears of the other's coming and going, and who is there", async () => {
    await withAgent(async (scene) => {
      const alice = await scene.laptop("alice"), bob = await scene.laptop("bob");
      const rule = scene.rule([marked]);
      await alice.rule(rule);
      await bob.rule(scene.rule([{ ...marked, value: "bob" }]));
      await until(() => alice.events.length === 1);
      assertEquals(alice.events, [{ event: "joined", owner: "bob" }]);
      assertEquals([await reached(scene), await reached(scene, "bob"), await reached(scene, "carol")], [
        "alice",
        "bob",
        "origin",
      ]);
      const answer = await bob.ask({ type: "owners" });
      assertEquals(answer.ok && answer.owners?.map(({ owner }) => owner), ["alice", "bob"]);
      await alice.rule();
      await until(() => bob.events.some(({ event }) => event === "left"));
      assertEquals([await reached(scene), await reached(scene, "bob")], ["origin", "bob"]);
      bob.kill();
      await until(() => alice.events.some(({ event }) => event === "lost"));
      assertEquals(await reached(scene, "bob"), "origin");
    });
  });

  it("same_mark_refused: the second gets the holder's name and no rule at all", async () => {
    await withAgent(async (scene) => {
      const alice = await scene.laptop("alice"), bob = await scene.laptop("bob");
      await alice.rule(scene.rule([marked]));
      const rules = [scene.rule([{ ...marked, value: "bob" }]), scene.rule([marked])];
      const answer = await bob.ask({ type: "rules", rules });
      assertEquals(answer.ok ? undefined : answer.holder, "alice");
      assertEquals([await reached(scene), await reached(scene, "bob")], ["alice", "origin"]);
    });
  });

  it("keeps the rules of an owner who links up anew before the old link is known to be dead", async () => {
    await withAgent(async (scene) => {
      const before = await scene.laptop("alice", speakHttp("before"));
      await before.rule(scene.rule([marked]));
      const after = await scene.laptop("alice", speakHttp("after"));
      await before.ended;
      assertEquals(await reached(scene), "after");
      after.kill();
      await until(() => scene.told.some((line) => line.startsWith("The link of alice is over")));
      assertEquals(await reached(scene), "origin");
    });
  });

  it("link_black_holed: notices within 12 s that nothing comes any more, and sends nobody into the dark", async () => {
    await withAgent(async (scene) => {
      const carrier = await scene.connectLink();
      let dark = false, swallowed = "";
      const never = new Promise<never>(() => {});
      const holed = {
        read: async (into: Uint8Array) => {
          for (;;) {
            const count = await carrier.read(into);
            if (!dark) return count;
            if (count === null) return await never;
            swallowed += new TextDecoder().decode(into.subarray(0, count));
          }
        },
        write: (data: Uint8Array) => dark ? never : carrier.write(data),
        closeWrite: () => carrier.closeWrite(),
        reset: () => {},
        close: () => {},
      };
      const alice = await FakeLaptop.open(holed, hello("alice"), speakHttp("alice"), scene.clock);
      await alice.rule(scene.rule([marked]));
      assertEquals(await reached(scene), "alice");
      dark = true;
      const waiting = reached(scene);
      await until(() => swallowed.includes('"rule"'), "the delivery");
      await scene.clock.advance(8_000);
      await scene.clock.advance(4_000);
      assertEquals(await waiting, "origin");
      assertEquals(await reached(scene), "origin");
      carrier.close();
    });
  });

  it("answers a drain once what is under way is done, or when its time is up", async () => {
    await withAgent(async (scene) => {
      const finish: Array<() => void> = [];
      const slow = async (end: End) => {
        await end.head();
        await new Promise<void>((resolve) => finish.push(resolve));
        await end.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nalice");
      };
      const alice = await scene.laptop("alice", slow);
      await alice.rule(scene.rule());
      for (const ms of [5_000, 1_000]) {
        const answer = reached(scene);
        await until(() => finish.length === 1);
        let drained = false;
        const drain = alice.ask({ type: "drain", ms }).then(() => drained = true);
        await until(() => scene.told.at(-1)?.startsWith("Draining") === true);
        assertEquals([await reached(scene), drained], ["origin", false]);
        if (ms === 1_000) await scene.clock.advance(ms);
        else finish.shift()?.();
        await drain;
        finish.shift()?.();
        assertEquals(await answer, "alice");
        await alice.rule(scene.rule());
      }
    });
  });

  it("tells a laptop what its program has answered, at most once a second", async () => {
    await withAgent(async (scene) => {
      const alice = await scene.laptop("alice");
      const rule = scene.rule();
      await alice.rule(rule);
      for (let i = 0; i < 3; i++) await reached(scene);
      assertEquals(alice.events, []);
      await scene.clock.advance(1_000);
      await until(() => alice.events.length > 0);
      assertEquals(alice.events, [{ event: "served", rule: rule.id, count: 3 }]);
    });
  });

  it("dials out of the pod for a laptop, half-close included, and says why it cannot", async () => {
    await withAgent(async (scene) => {
      const echo = await listenTcp({ host: "127.0.0.1", port: 0 }, async (stream) => {
        const all = await new End(stream).rest();
        await stream.write(new TextEncoder().encode(`heard ${all}`));
        stream.close();
      });
      const alice = await scene.laptop("alice");
      const dial = async (port: number) => {
        const stream = alice.open();
        await stream.stream.write(formatJsonLine({ network: "tcp", host: "127.0.0.1", port }));
        return stream;
      };
      const stream = await dial(echo.port);
      await stream.send("hello");
      await stream.stream.closeWrite();
      assertEquals(await stream.rest(), '{"ok":true}\nheard hello');
      await echo.close();
      const refused = JSON.parse(new TextDecoder().decode(await (await dial(echo.port)).reader.line(1000)));
      assertEquals([refused.ok, refused.kind], [false, "refused"]);
      assertStringIncludes(refused.error, "nothing listens there");
    });
  });
});
