import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { PodObject } from "./pod_object.ts";
import { startPractice } from "./practice.ts";
import type { Practice } from "./practice.ts";
import { PracticeClient } from "./practice_client.ts";
import { upgrade, upgradeHeaders } from "./spdy_test_client.ts";

async function session(practice: Practice) {
  await practice.addService({ namespace: "dev", name: "orders" });
  const name = practice.list<PodObject>("pods", "dev")[0]!.metadata.name;
  const target = { port: practice.port, ca: practice.authority, token: practice.token("admin") };
  const path = `/api/v1/namespaces/dev/pods/${name}/portforward`;
  return { ...await upgrade(target, path, upgradeHeaders.tunnel), path, target };
}

/** Whether a promise is still open after a while in which it would have settled. */
function pending(promise: Promise<unknown>, milliseconds = 150): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<boolean>((resolve) => timer = setTimeout(() => resolve(true), milliseconds));
  return Promise.race([promise.then(() => false, () => false), late]).finally(() => clearTimeout(timer));
}

describe("faults", () => {
  it("add latency to each round trip", async () => {
    await using practice = await startPractice();
    const { session: open, close } = await session(practice);
    practice.faults.latency(80);
    const start = performance.now();
    await open!.write(open!.ping(1));
    await open!.next();
    const elapsed = performance.now() - start;
    assert(elapsed >= 75, `took ${elapsed} ms`);
    close();
  });

  it("drop all connections with a reset, and take new ones", async () => {
    await using practice = await startPractice();
    using connection = await Deno.connect({ port: practice.port });
    practice.faults.dropConnections();
    await assertRejects(() => connection.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
    using client = new PracticeClient(practice);
    assertEquals((await client.get("/version")).status, 200);
  });

  it("swallow everything, and mend: what was held back arrives", async () => {
    await using practice = await startPractice();
    const { session: open, close } = await session(practice);
    practice.faults.blackHole();
    await open!.write(open!.ping(1));
    const answer = open!.next();
    assert(await pending(answer));
    using late = new PracticeClient(practice);
    const request = late.get("/version");
    assert(await pending(request));
    practice.faults.mend();
    assertEquals((await answer).short, "PING 1");
    assertEquals((await request).status, 200);
    close();
  });

  it("close the port and open the same one again", async () => {
    await using practice = await startPractice();
    const { session: open, close } = await session(practice);
    const { port } = practice;
    await practice.faults.stopListening();
    await assertRejects(() => open!.next());
    await assertRejects(() => Deno.connect({ port }), Deno.errors.ConnectionRefused);
    await practice.faults.startListening();
    assertEquals(practice.port, port);
    using client = new PracticeClient(practice);
    assertEquals((await client.get("/version")).status, 200);
    close();
  });

  for (const status of [401, 403, 409, 410, 429, 500]) {
    it(`answer the next matching requests with ${status}`, async () => {
      await using practice = await startPractice();
      using client = new PracticeClient(practice);
      practice.faults.answer({ status, verb: "list", path: /pods$/, times: 2, retryAfter: 3 });
      assertEquals((await client.get("/api/v1/services")).status, 200);
      for (let i = 0; i < 2; i++) {
        const { headers, body, ...answer } = await client.get<{ code: number }>("/api/v1/pods");
        assertEquals([answer.status, body.code, headers.get("retry-after")], [status, status, "3"]);
      }
      assertEquals((await client.get("/api/v1/pods")).status, 200);
      practice.faults.answer({ status, times: Infinity });
      assertEquals((await client.get("/version")).status, status);
      practice.faults.answerNormally();
      assertEquals((await client.get("/version")).status, 200);
    });
  }

  it("refuse upgrades, one kind or the other", async () => {
    await using practice = await startPractice();
    const { close, path, target } = await session(practice);
    close();
    const ask = async (kind: "spdy" | "tunnel") => {
      const { status, close } = await upgrade(target, path, upgradeHeaders[kind]);
      close();
      return status;
    };
    practice.faults.refuseWebSockets(403);
    assertEquals([await ask("tunnel"), await ask("spdy")], [403, 101]);
    practice.faults.refuseWebSockets(undefined);
    practice.faults.refuseSpdy(400);
    assertEquals([await ask("tunnel"), await ask("spdy")], [101, 400]);
  });

  it("slow down what clients read and what the server reads", async () => {
    await using practice = await startPractice();
    const { session: open, close } = await session(practice);
    await open!.open(1, 7000, "echo\n");
    await open!.until((frame) => frame === "SYN_REPLY 3");
    const echo = async () => {
      const start = performance.now();
      await open!.write(open!.dataFrame(3, new Uint8Array(50_000)));
      for (let left = 50_000; left > 0;) left -= (await open!.next()).data.length;
      return performance.now() - start;
    };
    practice.faults.slowDownload(200_000);
    const down = await echo();
    practice.faults.slowDownload(0);
    practice.faults.slowUpload(200_000);
    const up = await echo();
    assert(down > 200 && up > 200, `took ${down} and ${up} ms`);
    close();
  });

  it("freeze port-forward sessions, and nothing else", async () => {
    await using practice = await startPractice();
    const { session: open, close } = await session(practice);
    practice.faults.freezeSessions(true);
    await open!.write(open!.ping(1));
    const answer = open!.next();
    assert(await pending(answer));
    using client = new PracticeClient(practice);
    assertEquals((await client.get("/version")).status, 200);
    practice.faults.freezeSessions(false);
    assertEquals((await answer).short, "PING 1");
    close();
  });

  it("leave nothing behind when a cluster is stopped in the middle of them", async () => {
    const practice = await startPractice();
    const { session: open, close } = await session(practice);
    await open!.open(1, 7000, "source 100000000\n");
    await open!.next();
    practice.faults.blackHole();
    await practice.stop();
    await practice.stop();
    close();
  });
});
