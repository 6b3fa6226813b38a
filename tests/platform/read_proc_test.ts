import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { permissions } from "../../scripts/permissions.ts";
import { readProc } from "../../src/platform/read_proc.ts";

describe("readProc", { ignore: Deno.build.os !== "linux" }, () => {
  it("reads files one behind the other, and nothing where there is none", async () => {
    assertStringIncludes(
      await readProc("/proc/self/comm", "/proc/self/none", "/proc/sys/kernel/ostype"),
      "cat\nLinux\n",
    );
    assertEquals(await readProc("/proc/self/none"), "");
  });

  it("may do so with what the executables may do, as may what tells processes from each other", async () => {
    const module = (name: string) => fileURLToPath(new URL(`../../src/platform/${name}.ts`, import.meta.url));
    const code = `
      import { LocalProcess } from "file://${module("local_process")}";
      import { readProc } from "file://${module("read_proc")}";
      const local = await LocalProcess.open({ os: "linux", host: "here", state: () => "" });
      console.log(await readProc("/proc/sys/kernel/ostype"), local !== undefined);`;
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/code.ts`, code);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-config", "--no-check", ...permissions, `${folder}/code.ts`],
    }).output();
    await Deno.remove(folder, { recursive: true });
    assertEquals(new TextDecoder().decode(stdout), "Linux\n true\n", new TextDecoder().decode(stderr));
  });
});
