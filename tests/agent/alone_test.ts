import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { AgentScene } from "./agent_scene.ts";
import { withAgent } from "./agent_scene.ts";

async function health({ connect, healthPort }: AgentScene): Promise<number> {
  const probe = await connect(healthPort);
  await probe.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  return Number((await probe.head()).split(" ")[1]);
}

async function ask({ connect }: AgentScene): Promise<string> {
  const client = await connect();
  await client.send("GET / HTTP/1.1\r\nHost: orders\r\nConnection: close\r\n\r\n");
  return await client.rest();
}

const nobody = "alice@one has exchanged it, and that laptop is away";

describe("an agent without original pods", () => {
  it("that takes their place is ready once a laptop has had rules, and says who is missing when it is gone", async () => {
    await withAgent(async (scene) => {
      assertEquals(await health(scene), 503);
      const alice = await scene.laptop("alice");
      assertEquals(await health(scene), 503);
      await alice.rule(scene.rule([], "error"));
      assertEquals(await health(scene), 200);
      assertStringIncludes(await ask(scene), "alice GET / 0");
      alice.kill();
      let answer = "";
      while (!answer.startsWith("HTTP/1.1 503")) answer = await ask(scene);
      assertStringIncludes(answer, nobody);
      assertEquals(await health(scene), 200);
    }, { origin: null, alone: { ready: "linked", nobody } });
  });

  it("that stands among them is ready only while a laptop has rules", async () => {
    await withAgent(async (scene) => {
      assertEquals(await health(scene), 503);
      const alice = await scene.laptop("alice");
      await alice.rule(scene.rule([], "error"));
      assertEquals(await health(scene), 200);
      alice.kill();
      while (await health(scene) !== 503);
      const kept = await scene.connect();
      await kept.send("GET / HTTP/1.1\r\nHost: orders\r\n\r\n");
      // On its next connection the caller may get another pod.
      assertStringIncludes(await kept.rest(), "Connection: close");
    }, { origin: null, alone: { ready: "while-linked", nobody } });
  });

  it("goes on asking the laptop while it drains, as nobody else is there, and has callers come back elsewhere", async () => {
    await withAgent(async (scene) => {
      const alice = await scene.laptop("alice");
      await alice.rule(scene.rule([], "error"));
      const kept = await scene.connect();
      await kept.send("GET /before HTTP/1.1\r\nHost: orders\r\n\r\n");
      assertStringIncludes(await kept.head(), "200 OK");
      assertEquals((await alice.ask({ type: "drain", ms: 0 })).ok, true);
      const answer = await ask(scene);
      assertStringIncludes(answer, "alice GET / 0");
    }, { origin: null });
  });
});
