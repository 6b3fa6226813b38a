import { assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { defineCommand } from "../../src/cli/define_command.ts";
import { noWords } from "../../src/cli/command.ts";
import { Failure } from "../../src/platform/failure.ts";
import { Interrupted } from "../../src/platform/interrupt.ts";
import { ProgramError } from "../../src/platform/program.ts";
import { runMain } from "./fake_deps.ts";

let root: string;

function withHome(): void {
  beforeEach(async () => {
    root = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(root, { recursive: true }));
}

function failingWith(error: unknown) {
  const grammar = { name: "fail", summary: "", description: "", words: noWords, flags: {}, examples: [] };
  return [defineCommand(grammar, () => Promise.resolve(() => Promise.reject(error)))];
}

describe("main", () => {
  withHome();

  it("shows the overview for no words at all, --help and -h", async () => {
    for (const args of [[], ["--help"], ["-h"], ["help"]]) {
      const { status, out, err } = await runMain(args, { root });
      assertEquals([status, err], [0, ""]);
      assertStringIncludes(out, "Usage: hawser COMMAND");
      assertFalse(out.includes("__complete"));
    }
  });

  it("shows the same help for hawser help X and hawser X --help", async () => {
    const [first, second, third] = [
      await runMain(["help", "forward"], { root }),
      await runMain(["forward", "--help"], { root }),
      await runMain(["forward", "mysql", "-h"], { root }),
    ];
    assertStringIncludes(first!.out, "hawser forward deploy/api 8080:http");
    assertEquals([second!.out, third!.out], [first!.out, first!.out]);
  });

  it("keeps help within the width of the screen", async () => {
    for (const columns of [50, 80, 120]) {
      const { out } = await runMain(["help", "connect"], { root, columns });
      const tooLong = out.split("\n").filter((line) => line.length > columns && !line.startsWith("  hawser "));
      assertEquals(tooLong, [], `at ${columns}`);
    }
  });

  it("exits with 2 and the way to help where misused", async () => {
    const { status, out, err } = await runMain(["connect", "--port", "http"], { root });
    assertEquals([status, out], [2, ""]);
    assertStringIncludes(
      err,
      'hawser: --port must be a port from 0 (any free one) to 65535: "http" is not\nTry: hawser connect --help\n',
    );
  });

  it("says where a wrong value came from", async () => {
    assertStringIncludes(
      (await runMain(["connect"], { root, env: { HAWSER_PORT: "x" } })).err,
      "HAWSER_PORT must be a port",
    );
    await Deno.mkdir(`${root}/.config/hawser`, { recursive: true });
    await Deno.writeTextFile(`${root}/.config/hawser/config.json`, `{ "defaults": { "port": "x" } }`);
    assertStringIncludes(
      (await runMain(["connect"], { root })).err,
      `"port" in the defaults of "${join(root, ".config/hawser/config.json")}" must be a port`,
    );
  });

  it("exits with 1 and one sentence for a failure", async () => {
    const { status, err } = await runMain(["fail"], { root, table: failingWith(new Failure("No way")) });
    assertEquals([status, err], [1, "hawser: No way\n"]);
  });

  it("exits with 130 and says nothing when interrupted", async () => {
    const { status, out, err } = await runMain(["fail"], { root, table: failingWith(new Interrupted("SIGINT")) });
    assertEquals([status, out, err], [130, "", ""]);
  });

  it("exits with what a shell would for a program that cannot be started", async () => {
    assertEquals((await runMain(["fail"], { root, table: failingWith(new ProgramError(127, "x")) })).status, 127);
  });

  it("shows no stack trace unless HAWSER_DEBUG asks for it", async () => {
    const table = failingWith(new TypeError("x is not a function", { cause: new Error("deeper") }));
    const quiet = await runMain(["fail"], { root, table });
    assertEquals(quiet.status, 1);
    assertFalse(quiet.err.includes("at "), quiet.err);
    const loud = await runMain(["fail"], { root, table, env: { HAWSER_DEBUG: "1" } });
    assertStringIncludes(loud.err, "main_test.ts");
    assertStringIncludes(loud.err, "deeper");
  });

  it("answers version without a home", async () => {
    const { status, out } = await runMain(["version", "-o", "json"], { root, env: { HOME: "" } });
    assertEquals([status, Object.keys(JSON.parse(out))], [0, ["version", "deno", "platform"]]);
  });

  it("answers --version as it does version", async () => {
    assertEquals(await runMain(["--version"], { root }), await runMain(["version"], { root }));
    assertEquals((await runMain(["--version", "-o", "json"], { root })).out[0], "{");
  });

  it("answers version, help and completion whatever the settings are", async () => {
    await Deno.mkdir(`${root}/.config/hawser`, { recursive: true });
    await Deno.writeTextFile(`${root}/.config/hawser/config.json`, "{ broken");
    for (const args of [["version"], ["help", "run"], ["completion", "bash"]]) {
      const { status, err } = await runMain(args, { root });
      assertEquals([status, err], [0, ""], args[0]);
    }
    assertStringIncludes((await runMain(["status"], { root })).err, "is not a hawser configuration");
  });

  it("names the command whose help explains a mistake, wherever it is found", async () => {
    const cases: [string[], string][] = [
      [["connect", "--exclude", "10.0.0.0/99"], "connect"],
      [["run", "--dns-forward", "x", "--", "true"], "run"],
      [["forward", "redis", "99999"], "forward"],
      [["config", "set", "listen", "yes"], "config"],
      [["status", "--profile", "nope"], "status"],
    ];
    for (const [args, command] of cases) {
      const { status, err } = await runMain(args, { root });
      assertEquals(status, 2, args.join(" "));
      assertStringIncludes(err, `\nTry: hawser ${command} --help\n`);
    }
  });
});

describe("hawser config", () => {
  withHome();

  const config = (...args: string[]) => runMain(["config", ...args], { root });

  it("sets, gets, shows and unsets", async () => {
    assertEquals((await config("set", "port", "1090")).status, 0);
    await config("set", "namespaces", "a,b", "c");
    await config("set", "listen", "true", "--profile", "stage");
    assertEquals((await config("get", "port")).out, "1090\n");
    assertEquals((await config("get", "namespaces", "-o", "json")).out, '[\n  "a",\n  "b",\n  "c"\n]\n');
    const path = (await config("path")).out.trim();
    if (Deno.build.os !== "windows") assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    assertStringIncludes((await config("show")).out, `port        1090   from "port" in the defaults of "${path}"`);
    assertStringIncludes((await config("show", "--profile", "stage")).out, `"listen" in profile "stage"`);
    await config("unset", "port");
    assertEquals((await config("get", "port")).out, "");
  });

  it("uses and drops profiles", async () => {
    await config("set", "namespace", "dev", "--profile", "stage");
    await config("use", "stage");
    assertEquals((await config("profiles")).out, "stage (in use)\n");
    assertStringIncludes((await config("show")).out, "namespace  dev");
    await config("drop", "stage");
    assertEquals(JSON.parse((await config("profiles", "-o", "json")).out), { profiles: [], inUse: null });
  });

  it("refuses keys, values and profiles that cannot be", async () => {
    const cases: [string[], string][] = [
      [["set", "prot", "1"], 'Unknown key "prot". Did you mean "port"?'],
      [["set", "port", "http"], '"port" must be a port'],
      [["set", "port", "1", "2"], "takes one value"],
      [["set", "port"], "hawser config set KEY VALUE"],
      [["use", "nope"], 'no profile "nope"'],
      [["sett", "port", "1"], 'Did you mean "set"?'],
    ];
    for (const [args, expected] of cases) {
      const { status, err } = await config(...args);
      assertEquals(status, 2, args.join(" "));
      assertStringIncludes(err, expected);
    }
  });

  it("can mend a file that other commands refuse", async () => {
    await Deno.mkdir(`${root}/.config/hawser`, { recursive: true });
    await Deno.writeTextFile(`${root}/.config/hawser/config.json`, `{ "defaults": { "prot": "1" } }`);
    assertEquals((await runMain(["status"], { root })).status, 2);
    assertEquals((await config("unset", "prot")).status, 0);
    assertEquals((await runMain(["status"], { root })).status, 0);
  });
});
