import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { systemClock } from "../../src/platform/clock.ts";
import { isAlive } from "../../src/platform/process.ts";
import { ProgramError } from "../../src/platform/program.ts";
import { runBrowser } from "../../src/platform/run_browser.ts";

describe("runBrowser", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(folder, { recursive: true }));

  /** Runs what stands for a browser: Deno with a script, which finds the folder in `FOLDER`. */
  async function play(script: string, signal = new AbortController().signal, onStart = (_: number) => {}) {
    return await runBrowser(Deno.execPath(), ["eval", script], {
      env: { ...Deno.env.toObject(), FOLDER: folder },
      os: Deno.build.os,
      signal,
      clock: systemClock,
      onStart: async (pid) => await onStart(pid),
    });
  }

  /** Script that starts a helper, which goes on for long, and notes its process. */
  const helper = `const helper = new Deno.Command(Deno.execPath(), {
    args: ["eval", "setTimeout(() => {}, 60000)"], stdout: "null", stderr: "inherit"
  }).spawn();
  await Deno.writeTextFile(Deno.env.get("FOLDER") + "/pid", String(helper.pid));`;

  const helperPid = async () => Number(await Deno.readTextFile(`${folder}/pid`));

  it("passes the status on, with the last of what was said on stderr", async () => {
    const { status, complaint } = await play(
      `console.error("x".repeat(5000)); console.error("no display"); Deno.exit(3)`,
    );
    assertEquals(status, 3);
    assertEquals(complaint.length <= 2000, true);
    assertStringIncludes(complaint, "no display");
  });

  // On Windows Deno takes its children with it when it ends.
  it("does not wait for helpers that hold stderr open", { ignore: Deno.build.os === "windows" }, async () => {
    assertEquals((await play(`${helper} Deno.exit(0)`)).status, 0);
    const pid = await helperPid();
    assertEquals(isAlive(pid), true);
    Deno.kill(pid, "SIGKILL");
  });

  it("closes it with all it has started when the signal aborts", async () => {
    const abort = new AbortController();
    let pid = 0;
    const ended = play(`${helper} await helper.status; setTimeout(() => {}, 60000)`, abort.signal, (it) => pid = it);
    while (!await helperPid().catch(() => 0)) await systemClock.sleep(20);
    abort.abort();
    assertEquals((await ended).status, 0);
    assertEquals(isAlive(pid), false);
    const left = await helperPid();
    while (isAlive(left)) await systemClock.sleep(20); // it is no child of ours: the system buries it
  });

  it("closes it where it cannot be noted which process it is", async () => {
    let pid = 0;
    const unnoted = (it: number) => {
      pid = it;
      throw new Error("the disk is full");
    };
    await assertRejects(() => play("setTimeout(() => {}, 60000)", undefined, unnoted), Error, "the disk is full");
    assertEquals(isAlive(pid), false);
  });

  it("says that a file is no program", async () => {
    await Deno.writeTextFile(`${folder}/page.html`, "");
    const options = {
      env: {},
      os: Deno.build.os,
      signal: new AbortController().signal,
      clock: systemClock,
      onStart: () => Promise.resolve(),
    };
    await assertRejects(() => runBrowser(`${folder}/page.html`, [], options), ProgramError, "page.html");
  });
});
