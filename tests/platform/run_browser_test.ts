import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { systemClock } from "../../src/platform/clock.ts";
import { isAlive } from "../../src/platform/process.ts";
import { ProgramError } from "../../src/platform/program.ts";
import { runBrowser } from "../../src/platform/run_browser.ts";

/** Stands for a browser: Deno with a script. */
async function play(script: string, onStart: (pid: number) => void = () => {}, signal = new AbortController().signal) {
  return await runBrowser(Deno.execPath(), ["eval", script], {
    env: Deno.env.toObject(),
    os: Deno.build.os,
    signal,
    clock: systemClock,
    onStart: (pid) => Promise.resolve(onStart(pid)),
  });
}

describe("runBrowser", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(folder, { recursive: true }));

  /** Resolves with the text once the stand-in has written it. */
  async function written(name: string): Promise<string> {
    for (;;) {
      const text = await Deno.readTextFile(`${folder}/${name}`).catch(() => "");
      if (text !== "") return text;
      await systemClock.sleep(20);
    }
  }

  it("passes the status on, with the last of what was said on stderr", async () => {
    const { status, complaint } = await play(
      `console.error("x".repeat(5000)); console.error("no display"); Deno.exit(3)`,
    );
    assertEquals(status, 3);
    assertEquals(complaint.length <= 2000, true);
    assertStringIncludes(complaint, "no display");
  });

  it("does not wait for helpers that hold stderr open", async () => {
    const helper = `new Deno.Command(Deno.execPath(), {
      args: ["eval", "await Deno.writeTextFile(${
      JSON.stringify(`'${folder}/pid'`).slice(1, -1)
    }, String(Deno.pid)); setTimeout(() => {}, 60000)"],
      stderr: "inherit", detached: true
    }).spawn().unref(); Deno.exit(0)`;
    assertEquals((await play(helper)).status, 0);
    Deno.kill(Number(await written("pid")), "SIGKILL");
  });

  it("closes it with all it has started when the signal aborts", async () => {
    const abort = new AbortController();
    const script =
      `const helper = new Deno.Command(Deno.execPath(), { args: ["eval", "setTimeout(() => {}, 60000)"] }).spawn();
      await Deno.writeTextFile(${
        JSON.stringify(`${folder}/pid`)
      }, String(helper.pid)); await helper.status; setTimeout(() => {}, 60000)`;
    let pid = 0;
    const ended = play(script, (started) => pid = started, abort.signal);
    const helper = Number(await written("pid"));
    abort.abort();
    assertEquals((await ended).status, 0);
    assertEquals(isAlive(pid), false);
    while (isAlive(helper)) await systemClock.sleep(20); // it is no child of ours: the system buries it
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
