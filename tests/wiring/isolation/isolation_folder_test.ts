import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { makeIsolationFolder } from "../../../src/wiring/isolation/isolation_folder.ts";

describe("makeIsolationFolder", { ignore: Deno.build.os === "windows" }, () => {
  it("makes a folder that only the user may enter, and removes those of dead processes alone", async () => {
    const runtime = await Deno.makeTempDir({ dir: "/tmp", prefix: "rt-" });
    await Deno.mkdir(`${runtime}/hawser-isolation-1001-dead/inner`, { recursive: true });
    await Deno.mkdir(`${runtime}/hawser-isolation-1002-alive`);
    await Deno.mkdir(`${runtime}/somebody-elses`);
    const folder = await makeIsolationFolder({ XDG_RUNTIME_DIR: runtime }, (pid) => pid !== 1001);
    assertStringIncludes(folder, `${runtime}/hawser-isolation-${Deno.pid}-`);
    assertEquals((await Deno.stat(folder)).mode! & 0o777, 0o700);
    const left = (await Array.fromAsync(Deno.readDir(runtime), ({ name }) => `${runtime}/${name}`)).sort();
    assertEquals(left, [folder, `${runtime}/hawser-isolation-1002-alive`, `${runtime}/somebody-elses`].sort());
    await Deno.remove(runtime, { recursive: true });
  });

  it("does without a folder of the session that is not there, or whose path no socket could have", async () => {
    for (const XDG_RUNTIME_DIR of ["/nowhere", `/tmp/${"deep/".repeat(12)}`, undefined]) {
      const folder = await makeIsolationFolder({ XDG_RUNTIME_DIR }, () => true);
      assertStringIncludes(folder, "/tmp/hawser-isolation-");
      await Deno.remove(folder);
    }
  });
});
