import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { Failure } from "../../src/platform/failure.ts";
import { createPrivateFolder, readFileIfAny, writePrivateFile } from "../../src/platform/private_file.ts";

describe("writePrivateFile", () => {
  let root: string;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  it("writes a file, and makes its folder, for the owner alone", async () => {
    const path = `${root}/a/b/note.json`;
    await writePrivateFile(path, "secret");
    assertEquals(await Deno.readTextFile(path), "secret");
    if (Deno.build.os === "windows") return; // there the folder's access list decides
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    assertEquals((await Deno.stat(`${root}/a`)).mode! & 0o777, 0o700);
  });

  it("replaces a file and leaves nothing beside it", async () => {
    const path = `${root}/note.json`;
    await writePrivateFile(path, "old");
    await writePrivateFile(path, "new");
    assertEquals(await Deno.readTextFile(path), "new");
    assertEquals((await Array.fromAsync(Deno.readDir(root))).map((entry) => entry.name), ["note.json"]);
  });

  it("says what stands in the way and leaves no draft", async () => {
    await Deno.mkdir(`${root}/note.json`);
    await Deno.writeTextFile(`${root}/note.json/x`, "");
    const error = await assertRejects(() => writePrivateFile(`${root}/note.json`, "x"), Failure);
    assertStringIncludes(error.message, `Cannot write "${root}/note.json": `);
    assertEquals((await Array.fromAsync(Deno.readDir(root))).length, 1);
  });

  it("says so where no folder can be made", async () => {
    if (Deno.build.os !== "linux") return; // /proc takes no folders
    const error = await assertRejects(() => writePrivateFile("/proc/self/hawser/x", "x"), Failure);
    assertStringIncludes(error.message, 'Cannot write "/proc/self/hawser/x"');
  });
});

describe("createPrivateFolder", () => {
  it("says which folder cannot be made", async () => {
    const file = await Deno.makeTempFile();
    try {
      const error = await assertRejects(() => createPrivateFolder(`${file}/logs`), Failure);
      assertStringIncludes(error.message, `Cannot make the folder "${file}/logs": `);
    } finally {
      await Deno.remove(file);
    }
  });
});

describe("readFileIfAny", () => {
  it("gives undefined for no file and a sentence for what is none", async () => {
    const root = await Deno.makeTempDir();
    try {
      assertEquals(await readFileIfAny(`${root}/none`), undefined);
      const error = await assertRejects(() => readFileIfAny(root), Failure);
      assertStringIncludes(error.message, `Cannot read "${root}"`);
    } finally {
      await Deno.remove(root);
    }
  });
});
