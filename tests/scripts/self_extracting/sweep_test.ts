import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { sweep } from "../../../scripts/self_extracting/sweep.ts";

const day = 24 * 3600_000;
const now = Date.UTC(2026, 0, 31);

describe("sweep", () => {
  let cache: string;

  beforeEach(async () => {
    cache = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(cache, { recursive: true }));

  async function unpacked(name: string, lastUsed: number): Promise<void> {
    await Deno.mkdir(`${cache}/${name}`);
    await Deno.writeTextFile(`${cache}/${name}/deno`, "");
    await Deno.utime(`${cache}/${name}`, new Date(lastUsed), new Date(lastUsed));
  }

  async function left(): Promise<string[]> {
    return (await Array.fromAsync(Deno.readDir(cache))).map(({ name }) => name).sort();
  }

  it("removes versions unused for 30 days, and no other", async () => {
    await unpacked("app-own", now - 90 * day);
    await unpacked("app-old", now - 30 * day);
    await unpacked("app-recent", now - 29 * day);
    await unpacked("something-else", now - 90 * day);
    await sweep(`${cache}/app-own`, now);
    assertEquals(await left(), ["app-own", "app-recent", "something-else"]);
  });

  it("removes what an interrupted unpacking left a day ago, and not what unpacks now", async () => {
    await unpacked("app-own", now);
    await unpacked(".new-old", now - day);
    await unpacked(".new-now", now - 1000);
    await sweep(`${cache}/app-own`, now);
    assertEquals(await left(), [".new-now", "app-own"]);
  });

  it("marks its own version as used now", async () => {
    await unpacked("app-own", now - 20 * day);
    await sweep(`${cache}/app-own`, now);
    assertEquals((await Deno.stat(`${cache}/app-own`)).mtime?.getTime(), now);
  });
});
