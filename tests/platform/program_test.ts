import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { findProgram, ProgramError, runProgram } from "../../src/platform/program.ts";

const os = Deno.build.os;

describe("findProgram", () => {
  let root: string;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  it("tells missing from not executable, as shells do", async () => {
    await Deno.writeTextFile(`${root}/notes`, "", { mode: 0o644 });
    const options = { env: { PATH: root }, os: "linux" as const };
    const missing = await assertRejects(() => findProgram("nothing", options), ProgramError);
    assertEquals(missing.status, 127);
    assertStringIncludes(missing.message, 'Cannot start "nothing": no folder of PATH');
    if (os === "windows") return; // no mode bits
    assertEquals((await assertRejects(() => findProgram("notes", options), ProgramError)).status, 126);
    assertEquals((await assertRejects(() => findProgram(`${root}/notes`, options), ProgramError)).status, 126);
    assertEquals((await assertRejects(() => findProgram(`${root}/none`, options), ProgramError)).status, 127);
  });

  it("takes the first that is executable, past one that is not", async () => {
    if (os === "windows") return;
    for (const [folder, mode] of [["a", 0o644], ["b", 0o755]] as const) {
      await Deno.mkdir(`${root}/${folder}`);
      await Deno.writeTextFile(`${root}/${folder}/tool`, "", { mode });
    }
    assertEquals(await findProgram("tool", { env: { PATH: `${root}/a:${root}/b` }, os: "linux" }), `${root}/b/tool`);
  });

  it("tries the endings of PATHEXT on Windows, where PATH may be spelled Path", async () => {
    if (os === "windows") return; // there the path separator differs; the e2e smoke runs a real .cmd
    await Deno.writeTextFile(`${root}/mvn.CMD`, "");
    const env = { Path: root, PATHEXT: ".EXE;.CMD" };
    assertEquals(await findProgram("mvn", { env, os: "windows" }), `${root}/mvn.CMD`);
    assertEquals(await findProgram("mvn.CMD", { env, os: "windows" }), `${root}/mvn.CMD`);
  });
});

describe("runProgram", () => {
  const deno = Deno.execPath();
  const run = (code: string, signal?: AbortSignal) =>
    runProgram(deno, ["eval", code], { env: Deno.env.toObject(), os, ...signal && { signal } });

  it("passes the exit status on", async () => assertEquals(await run("Deno.exit(7)"), 7));

  it("gives 128 + n where a signal ended it", async () => {
    if (os === "windows") return; // no signals
    assertEquals(await run("Deno.kill(Deno.pid, 'SIGKILL')"), 137);
  });

  it("gives exactly the environment it is told", async () => {
    const code = "Deno.exit(Deno.env.get('HAWSER_TEST') === 'a b' && !Deno.env.get('HOME') ? 0 : 1)";
    const env = {
      HAWSER_TEST: "a b",
      DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
      PATH: "",
    };
    if (os !== "windows") assertEquals(await runProgram(deno, ["eval", code], { env, os }), 0);
  });

  it("ends it when told to", async () => {
    if (os === "windows") return;
    assertEquals(await run("setInterval(() => {}, 1000)", AbortSignal.timeout(300)), 143);
  });
});
