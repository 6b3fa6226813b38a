import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
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

  it("takes the first that is executable, past one that is not", { ignore: os === "windows" }, async () => {
    for (const [folder, mode] of [["a", 0o644], ["b", 0o755]] as const) {
      await Deno.mkdir(`${root}/${folder}`);
      await Deno.writeTextFile(`${root}/${folder}/tool`, "", { mode });
    }
    assertEquals(await findProgram("tool", { env: { PATH: `${root}/a:${root}/b` }, os: "linux" }), `${root}/b/tool`);
  });

  it("tries the endings of PATHEXT on Windows, where PATH may be spelled Path", async () => {
    await Deno.writeTextFile(`${root}/mvn.CMD`, "");
    const env = { Path: root, PATHEXT: ".EXE;.CMD" };
    assertEquals(await findProgram("mvn", { env, os: "windows" }), join(root, "mvn.CMD"));
    assertEquals(await findProgram("mvn.CMD", { env, os: "windows" }), join(root, "mvn.CMD"));
  });
});

describe("runProgram", () => {
  const deno = Deno.execPath();
  const run = (code: string, signal?: AbortSignal) =>
    runProgram(deno, ["eval", code], { env: Deno.env.toObject(), os, ...signal && { signal } });

  /** Runs a program of these modules in a process of its own. */
  const script = async (code: string) => {
    const args = ["run", "-A", "--no-check", "--no-config", "--no-lock", "-"];
    const child = new Deno.Command(deno, { args, stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn();
    const stdin = child.stdin.getWriter();
    await stdin.write(new TextEncoder().encode(code));
    await stdin.close();
    const { code: status, stdout } = await child.output();
    return { code: status, stdout: new TextDecoder().decode(stdout) };
  };

  it("passes the exit status on", async () => assertEquals(await run("Deno.exit(7)"), 7));

  it("gives 128 + n where a signal ended it", { ignore: os === "windows" }, async () => {
    assertEquals(await run("Deno.kill(Deno.pid, 'SIGKILL')"), 137);
  });

  it("gives exactly the environment it is told", async () => {
    const [shell, args] = os === "windows"
      ? ["cmd", ["/d", "/c", "if not defined USERNAME exit %HAWSER_TEST%"]] as const
      : ["sh", ["-c", '[ -z "$HOME" ] && exit "$HAWSER_TEST"']] as const;
    const env = { PATH: Deno.env.get("PATH")!, HAWSER_TEST: "3" };
    assertEquals(await runProgram(shell, args, { env, os }), 3);
  });

  it("ends it when told to", async () => {
    // Windows has no polite way: it ends a program with status 1.
    assertEquals(await run("setInterval(() => {}, 1000)", AbortSignal.timeout(300)), os === "windows" ? 1 : 143);
  });

  it("passes an interrupt on where no terminal does", { ignore: os === "windows" }, async () => {
    const code = (onTerminal: boolean) => `
      import { runProgram } from ${JSON.stringify(import.meta.resolve("../../src/platform/program.ts"))};
      const options = { env: Deno.env.toObject(), os: Deno.build.os, onTerminal: ${onTerminal} };
      Deno.exit(await runProgram("sh", ["-c", 'kill -INT $PPID; sleep 0.3; exit 5'], options));`;
    const [onTerminal, elsewhere] = await Promise.all([script(code(true)), script(code(false))]);
    assertEquals([onTerminal.code, elsewhere.code], [5, 130]);
  });

  it("leaves no moment before and after in which a signal would end us", { ignore: os === "windows" }, async () => {
    // In a process of its own, as the one that runs the tests has its own mind about signals.
    const { code, stdout } = await script(`
      import { runProgram } from ${JSON.stringify(import.meta.resolve("../../src/platform/program.ts"))};
      import { watchInterrupts } from ${JSON.stringify(import.meta.resolve("../../src/platform/interrupt.ts"))};
      const interrupts = watchInterrupts();
      const options = { env: Deno.env.toObject(), os: Deno.build.os, onTerminal: true, interrupts };
      console.log(await runProgram("sh", ["-c", "kill -INT $PPID; exit 4"], options), interrupts.signal.aborted);
      const asked = new Promise((resolve) => interrupts.signal.addEventListener("abort", resolve));
      Deno.kill(Deno.pid, "SIGINT");
      await asked;
      console.log(await runProgram("sh", ["-c", "exit 4"], options).catch((error) => error.name));
      interrupts.close();`);
    assertEquals([code, stdout], [0, "4 false\nInterrupted\n"]);
  });

  it("ends a program that Windows will end, a moment later", async () => {
    const ending = new AbortController();
    const interrupts = {
      signal: new AbortController().signal,
      ending: ending.signal,
      pause() {},
      resume() {},
      close() {},
    };
    const options = { env: Deno.env.toObject(), os, interrupts };
    setTimeout(() => ending.abort(new Error("the console is closed")), 300);
    const started = performance.now();
    const run = () => runProgram(deno, ["eval", "setInterval(() => {}, 1000)"], options);
    await assertRejects(run, Error, "the console is closed");
    assert(performance.now() - started > 1_200, "it had no time of its own");
  });

  it("gives programs, and batch files that pass them on, the very words", { ignore: os !== "windows" }, async () => {
    const words = [
      "a b",
      'c"d',
      "%PATH%",
      "^&",
      "",
      "e\\",
      "f g\\",
      "!x!",
      "a&b",
      "(p)",
      'q" & echo hi',
      "|",
      "<>",
      "é",
    ];
    const root = await Deno.makeTempDir();
    try {
      const check = `${root}\\check.js`;
      await Deno.writeTextFile(
        check,
        `Deno.exit(JSON.stringify(Deno.args) === ${JSON.stringify(JSON.stringify(words))} ? 42 : 43);`,
      );
      await Deno.writeTextFile(`${root}\\pass.cmd`, `@"${deno}" run --no-config "${check}" %*\r\n`);
      const options = { env: Deno.env.toObject(), os };
      assertEquals(await runProgram(deno, ["run", "--no-config", check, ...words], options), 42);
      assertEquals(await runProgram(`${root}\\pass.cmd`, words, options), 42);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });

  it("runs batch files, with blanks in their path and arguments", { ignore: os !== "windows" }, async () => {
    const root = await Deno.makeTempDir({ prefix: "a b " });
    try {
      const batch = '@if "%~1/%~2/%HAWSER_TEST%"=="c d/e/f g" (exit /b 42) else (exit /b 43)\r\n';
      await Deno.writeTextFile(`${root}\\tool.cmd`, batch);
      const env = { ...Deno.env.toObject(), HAWSER_TEST: "f g" };
      for (const name of [`${root}\\tool`, `${root}/tool.cmd`]) {
        assertEquals(await runProgram(name, ["c d", "e"], { env, os }), 42, name);
      }
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
});
