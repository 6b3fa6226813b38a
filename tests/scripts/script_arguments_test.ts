import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

const root = `${import.meta.dirname}/../..`;

/** Runs a script where it can find no program that it might start, and no cluster. */
async function run(script: string, ...args: readonly string[]) {
  const offline = Deno.env.get("HAWSER_DEPS") === "offline" ? ["--config", `${root}/deno.offline.json`] : [];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", ...offline, `${root}/scripts/${script}.ts`, ...args],
    clearEnv: true,
    env: { NO_COLOR: "1", DENO_DIR: await denoFolder(), KUBECONFIG: "/nowhere" },
  }).output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout), err: text.decode(stderr) };
}

async function denoFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

// Under Windows nothing of this differs, and each start takes seconds.
describe("scripts", { ignore: Deno.build.os === "windows" }, () => {
  const scripts = ["bench_wiring", "build_java_agent", "bundle", "compile", "matrix", "ok", "with_deps"];
  for (const script of scripts) {
    it(`explain themselves, and do nothing at words that they do not know: ${script}`, async () => {
      const [help, wrong] = await Promise.all([run(script, "--help"), run(script, "--nonsense")]);
      assertEquals([help.code, help.err], [0, ""]);
      assertMatch(help.out, /^Usage: deno /);
      assertEquals([wrong.code, wrong.out], [2, ""]);
      assertStringIncludes(wrong.err, help.out.trim());
      if (script !== "with_deps") assertStringIncludes(wrong.err, "'--nonsense'");
    });
  }

  it("name the words there are, and want numbers where they count", async () => {
    assertMatch((await run("ok", "lint", "lints")).err, /^There is no "lints"; there are: format, lint, /);
    assertMatch((await run("compile", "linux")).err, /^There is no "linux"; there are: x86_64-unknown-linux-gnu, /);
    for (const rounds of ["0", "many"]) {
      const { code, err } = await run("bench_wiring", "--rounds", rounds);
      assertEquals([code, err.split("\n")[0]], [2, `--rounds must be a number above 0: "${rounds}" is not`]);
    }
  });
});
