import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { AccessError } from "../../src/cluster/access.ts";
import { inClusterContext } from "../../src/cluster/in_cluster_context.ts";
import { TokenFile } from "../../src/cluster/token_file.ts";
import { FakeClock } from "../fake_clock.ts";

async function withServiceAccount(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "token"), "first\n");
    await Deno.writeTextFile(join(folder, "namespace"), "dev\n");
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const pod = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };

describe("inClusterContext", () => {
  it("finds the cluster around a pod", async () => {
    await withServiceAccount(async (folder) => {
      const found = await inClusterContext(pod, folder);
      assertEquals(found?.context.namespace, "dev");
      assertEquals(found?.cluster.server, "https://10.96.0.1:443");
      const six = await inClusterContext({ ...pod, KUBERNETES_SERVICE_HOST: "fd00::1" }, folder);
      assertEquals(six?.cluster.server, "https://[fd00::1]:443");
    });
  });

  it("finds none without its variables or its files", async () => {
    await withServiceAccount(async (folder) => {
      assertEquals(await inClusterContext({}, folder), undefined);
      assertEquals(await inClusterContext(pod, join(folder, "absent")), undefined);
    });
  });
});

describe("TokenFile", () => {
  async function withTokenFile(use: (file: TokenFile, clock: FakeClock, path: string) => Promise<void>): Promise<void> {
    await withServiceAccount(async (folder) => {
      const clock = new FakeClock();
      const user = (await inClusterContext(pod, folder))?.user;
      assert(user);
      await use(new TokenFile(user, { clock }), clock, join(folder, "token"));
    });
  }

  it("reads the token again each minute, and trims it", async () => {
    await withTokenFile(async (file, clock, path) => {
      assertEquals(await file.authorization(), "Bearer first");
      await Deno.writeTextFile(path, "second\n");
      await clock.advance(59_000);
      assertEquals(await file.authorization(), "Bearer first");
      await clock.advance(1_000);
      assertEquals(await file.authorization(), "Bearer second");
    });
  });

  it("reads it at once after a 401, and knows whether it is another", async () => {
    await withTokenFile(async (file, _clock, path) => {
      await file.authorization();
      assertFalse(await file.renew());
      await Deno.writeTextFile(path, "second");
      assert(await file.renew());
      assertEquals(await file.authorization(), "Bearer second");
    });
  });

  it("says what is wrong with the file, without its text", async () => {
    await withTokenFile(async (file, _clock, path) => {
      for (const [text, words] of [["", "is empty"], ["two secret words", "more than a token"]] as const) {
        await Deno.writeTextFile(path, text);
        const error = await assertRejects(() => file.authorization(), AccessError, words);
        assertFalse(error.message.includes("secret"));
      }
      await Deno.remove(path);
      await assertRejects(() => file.authorization(), AccessError, "no such file");
    });
  });
});
