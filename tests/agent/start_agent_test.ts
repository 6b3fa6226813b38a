import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type AgentScene, withAgent } from "./agent_scene.ts";

async function answered({ connect }: AgentScene): Promise<boolean> {
  const client = await connect();
  await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  return (await client.rest()).startsWith("HTTP/1.1 200");
}

describe("an agent that is told to stop", () => {
  it("takes connections for 4 s, and for 2 s more after each that came, as a slow node sends some still", async () => {
    await withAgent(async (scene) => {
      const stopped = scene.agent.stop();
      await scene.clock.advance(3_500);
      assertEquals(await answered(scene), true);
      await scene.clock.advance(1_900);
      assertEquals(await answered(scene), true);
      await scene.clock.advance(1_999);
      assertEquals(await answered(scene), true);
      await scene.clock.advance(2_000);
      await stopped;
      await assertRejects(() => scene.connect());
    });
  });

  it("goes after 4 s where nobody comes, and after 14 s where they do not stop coming", async () => {
    await withAgent(async (scene) => {
      const stopped = scene.agent.stop();
      await scene.clock.advance(4_000);
      await stopped;
    });
    await withAgent(async (scene) => {
      const stopped = scene.agent.stop();
      for (let second = 0; second < 13; second++) {
        await scene.clock.advance(1_000);
        assertEquals(await answered(scene), true);
      }
      await scene.clock.advance(1_000);
      await assertRejects(() => scene.connect());
      await scene.clock.advance(10_000);
      await stopped;
    });
  });
});
