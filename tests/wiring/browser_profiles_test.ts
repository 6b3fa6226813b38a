import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { BrowserProfiles } from "../../src/wiring/browser_profiles.ts";

describe("BrowserProfiles", () => {
  let root: string;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  const exists = (path: string) => Deno.stat(path).then(() => true, () => false);
  const living = (...pids: number[]) => (pid: number) => pids.includes(pid);

  it("makes a folder for its owner alone and removes it with all that is in it", async () => {
    const profile = await new BrowserProfiles(`${root}/browsers`).create();
    if (Deno.build.os !== "windows") assertEquals((await Deno.stat(profile.path)).mode! & 0o777, 0o700);
    await Deno.mkdir(`${profile.path}/Default`);
    await Deno.writeTextFile(`${profile.path}/Default/Cookies`, "x");
    await profile[Symbol.asyncDispose]();
    assertEquals(await exists(profile.path), false);
    await profile[Symbol.asyncDispose]();
  });

  it("sweeps what the dead have left, and only that", async () => {
    const left = await new BrowserProfiles(root, { pid: 11 }).create();
    const opening = await new BrowserProfiles(root, { pid: 12 }).create();
    const orphan = await new BrowserProfiles(root, { pid: 13 }).create();
    await left.usedBy(21);
    await orphan.usedBy(23);
    await Deno.mkdir(`${root}/something else`);
    await new BrowserProfiles(root, { alive: living(12, 23) }).sweep();
    assertEquals(await Promise.all([left, opening, orphan].map(({ path }) => exists(path))), [false, true, true]);
    assertEquals(await exists(`${root}/something else`), true);
  });

  it("has nothing to sweep where no browser was ever opened", async () => {
    await new BrowserProfiles(`${root}/none`).sweep();
    assertEquals(await exists(`${root}/none`), false);
  });
});
