import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { Failure } from "../../src/platform/failure.ts";
import { LocalProcess } from "../../src/platform/local_process.ts";
import { PrivateTree } from "../../src/wiring/private_tree.ts";

const bytes = new TextEncoder().encode("a: 1\n");
const file = { bytes, executable: false };
const process = (pid: number, isAlive = true) =>
  new LocalProcess({ host: "laptop", machine: "m1", pid }, () => isAlive);

describe("PrivateTree", () => {
  let root: string;
  let folder: string;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
    folder = `${root}/files`;
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  const write = (paths: readonly string[], os: typeof Deno.build.os = "linux", local = process(1)) =>
    PrivateTree.write(new Map(paths.map((path) => [path, file])), { folder, os, local });
  const names = async () => (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);

  it("keeps paths, for nobody else to read, and leaves nothing behind", async () => {
    const files = new Map([["/etc/config/..app.yml", file], ["/run.sh", { bytes, executable: true }]]);
    const tree = await PrivateTree.write(files, { folder, os: "linux", local: process(1) });
    assertEquals(await Deno.readFile(`${tree.root}/etc/config/..app.yml`), bytes);
    if (Deno.build.os !== "windows") {
      const mode = async (path: string) => ((await Deno.stat(`${tree.root}${path}`)).mode ?? 0) & 0o777;
      assertEquals(await mode(""), 0o700);
      assertEquals(await mode("/etc/config"), 0o700);
      assertEquals(await mode("/etc/config/..app.yml"), 0o600);
      assertEquals(await mode("/run.sh"), 0o700);
    }
    await tree.close();
    assertEquals(await names(), []);
    await tree.close();
  });

  for (const path of ["/../x", "/a/../../x", "/..", "a", "", "/a//b", "/a/./b", "/a\0b", "/"]) {
    it(`refuses ${JSON.stringify(path)}, and writes nothing`, async () => {
      const { message } = await assertRejects(() => write(["/good", path]), Failure);
      assertStringIncludes(message, "outside of its folder");
      await assertRejects(() => Deno.stat(folder), Deno.errors.NotFound);
    });
  }

  for (const path of ["/con", "/a/NUL.txt", "/a/b.", "/a /b", "/a:b", "/..\\x", "/a|b", "/a\u0001b"]) {
    it(`refuses ${JSON.stringify(path)} on Windows`, async () => {
      const { message } = await assertRejects(() => write([path], "windows"), Failure);
      assertStringIncludes(message, "no name that Windows knows");
    });
  }

  it("refuses two names that are one file, and writes nothing", async () => {
    for (const os of ["windows", "darwin"] as const) {
      const { message } = await assertRejects(() => write(["/etc/App.yml", "/etc/app.YML"], os), Failure);
      assertStringIncludes(message, '"/etc/App.yml" and "/etc/app.YML" cannot both be written');
      await assertRejects(() => Deno.stat(folder), Deno.errors.NotFound);
    }
    if (Deno.build.os === "linux") await (await write(["/etc/App.yml", "/etc/app.YML"])).close();
  });

  it("removes all of it where a file cannot be written", async () => {
    const { message } = await assertRejects(() => write(["/a", "/a/b"]), Failure);
    assertStringIncludes(message, "a");
    assertEquals(await names(), []);
  });

  it("sweeps what a killed process left, and nothing of one that lives", async () => {
    const left = await write(["/secret"], "linux", process(7));
    const held = await write(["/secret"], "linux", process(8));
    const gone = new LocalProcess({ host: "laptop", machine: "m1", pid: 9 }, (pid) => pid !== 7);
    const deps = { folder, os: "linux", local: gone } as const;
    await PrivateTree.sweep(deps);
    await assertRejects(() => Deno.stat(left.root), Deno.errors.NotFound);
    assert((await Deno.stat(`${held.root}/secret`)).isFile);
    assertEquals((await names()).length, 2);
    await held.close();
    await PrivateTree.sweep({ ...deps, folder: `${root}/none` });
  });
});
