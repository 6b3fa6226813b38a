import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

const script = `${import.meta.dirname}/../../scripts/with_deps.ts`;

function withDeps(args: readonly string[], env: Record<string, string> = {}): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script, ...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

async function ended(child: Deno.ChildProcess): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await child.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

async function say(child: Deno.ChildProcess, words: string): Promise<void> {
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(words));
  await writer.close();
}

describe("with_deps", () => {
  it("passes standard input, output and the exit status through", async () => {
    const child = withDeps(["eval", "console.log(await new Response(Deno.stdin.readable).text()); Deno.exit(7)"])
      .spawn();
    await say(child, "hello");
    const { code, stdout } = await ended(child);
    assertEquals({ code, stdout }, { code: 7, stdout: "hello\n" });
  });

  it("resolves the packages of JSR without JSR", async () => {
    const child = withDeps(
      ["eval", `import { parseArgs } from "@std/cli/parse-args"; console.log(parseArgs(["-n", "1"]).n)`],
      { HAWSER_DEPS: "offline" },
    ).spawn();
    await say(child, "");
    assertEquals((await ended(child)).stdout, "1\n");
  });

  it("refuses another value of HAWSER_DEPS", async () => {
    const child = withDeps(["eval", ""], { HAWSER_DEPS: "maybe" }).spawn();
    await say(child, "");
    const { code, stderr } = await ended(child);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "'maybe'");
  });

  it(
    "hands SIGTERM on and answers the status the program then ends with",
    { ignore: Deno.build.os === "windows" },
    async () => {
      const child = withDeps([
        "eval",
        `
      Deno.addSignalListener("SIGTERM", () => Deno.exit(9));
      console.log("ready");
      setInterval(() => {}, 1000);
    `,
      ]).spawn();
      const reader = child.stdout.getReader();
      await reader.read();
      child.kill("SIGTERM");
      assertEquals((await child.status).code, 9);
      await reader.cancel();
      await child.stdin.close();
      await child.stderr.cancel();
    },
  );

  it("lets a failing test fail, and runs the hooks after it all the same", async () => {
    const folder = await Deno.makeTempDir();
    const file = `${folder}/failing_test.ts`;
    await Deno.writeTextFile(
      file,
      `import { afterAll, afterEach, describe, it } from "@std/testing/bdd";
       describe("suite", () => {
         afterEach(() => console.log("after each"));
         afterAll(() => console.log("after all"));
         it("fails", () => { throw new Error("on purpose"); });
         it("passes", () => {});
       });`,
    );
    try {
      const child = withDeps(["test", "--no-check", "-A", file]).spawn();
      await say(child, "");
      const { code, stdout } = await ended(child);
      assertEquals(code, 1);
      assertStringIncludes(stdout, "on purpose");
      assertStringIncludes(stdout, "after all");
      assertEquals(stdout.match(/^after each$/gm)?.length, 2);
      assertStringIncludes(stdout, "0 passed (1 step) | 1 failed (1 step)");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});
