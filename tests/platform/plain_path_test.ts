import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isPlain, plainPath } from "../../src/platform/plain_path.ts";

/** Wine in the C locale cannot. */
function keepsLetters(): boolean {
  try {
    Deno.removeSync(Deno.makeTempDirSync({ prefix: "jörg " }));
    return true;
  } catch {
    return false;
  }
}

describe("plainPath", () => {
  it("leaves plain paths as they are, and all others where the system has no second name for a file", () => {
    assertEquals(plainPath("C:\\Users\\Jane Doe\\a.jar", "windows"), "C:\\Users\\Jane Doe\\a.jar");
    assertEquals(plainPath("/home/jörg/a.jar", "linux"), "/home/jörg/a.jar");
    assertEquals(plainPath("C:\\Nowhere\\jörg\\a.jar", "windows"), "C:\\Nowhere\\jörg\\a.jar");
  });

  it(
    "finds the short name of a file on Windows",
    { ignore: Deno.build.os !== "windows" || !keepsLetters() },
    async () => {
      const folder = await Deno.makeTempDir({ prefix: "jörg " });
      try {
        await Deno.writeTextFile(`${folder}\\agent.jar`, "the same");
        const plain = plainPath(`${folder}\\agent.jar`, "windows");
        assert(isPlain(plain), plain);
        assertEquals(await Deno.readTextFile(plain), "the same");
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  );
});
