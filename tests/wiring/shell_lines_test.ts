import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { type ShellForm, shellLines } from "../../src/wiring/shell_lines.ts";

/** Values that a shell could take for something else. */
const value = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: fc.constantFrom(..."'\"\\$`%!^&|<>()*?#;~{}[] \t\n=,\u2018\u2019aé") }),
).map((text) => text.replaceAll("\0", "").replaceAll("\r", "")).filter((text) => text.isWellFormed());

/** Runs `script` in a shell; undefined where this machine has no such shell. */
async function inShell(command: readonly string[], script: string): Promise<string | undefined> {
  const [program = "", ...args] = command;
  try {
    const { stdout } = await new Deno.Command(program, { args: [...args, script], env: { LC_ALL: "C.UTF-8" } })
      .output();
    return new TextDecoder().decode(stdout);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Sets many variables by our lines and has a program print them, each ended by NUL. */
async function comesOut(form: ShellForm, command: readonly string[], separator = "\n"): Promise<void> {
  const values = fc.sample(value, 200);
  const lines = shellLines(form, new Map(values.map((each, at) => [`V${at}`, each])));
  const print = values.map((_, at) => `printenv -0 V${at}`).join("\n");
  const printed = await inShell(command, `${lines}${separator}${print}`);
  if (printed === undefined) return; // no such shell on this machine
  assertEquals(printed.split("\0").slice(0, -1), values);
}

describe("shellLines", () => {
  it("survives bash", () => comesOut("bash", ["bash", "--norc", "-c"]));
  it("survives zsh", () => comesOut("zsh", ["zsh", "-f", "-c"]));
  it("survives fish", () => comesOut("fish", ["fish", "--no-config", "-c"]));
  it("survives PowerShell", () => comesOut("powershell", ["pwsh", "-NoProfile", "-Command"]));

  it("unsets", async () => {
    for (
      const [form, command] of [["bash", ["bash", "-c"]], ["zsh", ["zsh", "-f", "-c"]], ["fish", [
        "fish",
        "--no-config",
        "-c",
      ]]] as const
    ) {
      const set = shellLines(form, new Map([["V", "1"]]));
      const unset = shellLines(form, new Map([["V", undefined]]));
      const printed = await inShell(command, `${set}\n${unset}\nprintenv V; echo end`);
      if (printed !== undefined) assertEquals(printed, "end\n", form);
    }
  });

  it("escapes for cmd each character it would act on, one by one", () => {
    assertEquals(
      shellLines("cmd", new Map([["V", `a"b&c %d% ^ (x)`], ["W", undefined]])),
      `@set V=a^"b^&c %%d%% ^^ ^(x^)\n@set W=`,
    );
  });

  it("is read by cmd as it was meant", { ignore: Deno.build.os !== "windows" }, async () => {
    const folder = await Deno.makeTempDir({ prefix: "a b " });
    const text = `a"b&c %PATH% ^ (x) | <y> 'z' `;
    const show = [
      Deno.execPath(),
      "eval",
      "--no-config",
      "console.log(JSON.stringify([Deno.env.get('V'),Deno.env.get('W')]))",
    ];
    try {
      const set = shellLines("cmd", new Map([["V", text], ["W", undefined]]));
      await Deno.writeTextFile(`${folder}\\wire.cmd`, set);
      await Deno.writeTextFile(
        `${folder}\\try.cmd`,
        `@call "%~dp0wire.cmd"\r\n@${show.map((word) => `"${word}"`).join(" ")}\r\n`,
      );
      const { stdout } = await new Deno.Command("cmd", { args: ["/d", "/c", `${folder}\\try.cmd`], env: { W: "w" } })
        .output();
      assertEquals(JSON.parse(new TextDecoder().decode(stdout)), [text, null]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  it("writes dotenv bare, literal or escaped, whichever is needed", () => {
    const lines = shellLines(
      "dotenv",
      new Map([["A", "http://127.0.0.1:1"], ["B", "a $b"], ["C", `it's "$x"\n`], ["D", undefined]]),
    );
    assertEquals(lines, `A=http://127.0.0.1:1\nB='a $b'\nC="it's \\"\\$x\\"\\n"`);
  });

  it("writes JSON with null for what is unset", () => {
    assertEquals(JSON.parse(shellLines("json", new Map([["A", "'\n"], ["B", undefined]]))), { A: "'\n", B: null });
  });

  it("lets no value begin a second command", () => {
    fc.assert(fc.property(value, (text) => {
      const line = shellLines("cmd", new Map([["V", text]]));
      assertEquals(line.includes("\n"), false);
      assertEquals(/(^|[^^])(\^\^)*[&|<>]/.test(line.slice(7)), false);
    }));
  });

  it("is part of a launch configuration for VS Code", () => {
    assertEquals(
      JSON.parse(shellLines("vscode", new Map([["V", 'a "b"\n'], ["W", undefined]]))),
      { env: { V: 'a "b"\n', W: null } },
    );
  });

  it("is one line for IntelliJ, with quotes where the value would end or begin otherwise", () => {
    const values = new Map([
      ["PLAIN", '-javaagent:"C:\\Users\\Jo Doe\\a.jar"=1080 -Dx=y'],
      ["LIST", "C:\\a;D:\\b"],
      ["QUOTED", '"a" b'],
      ["FOLDER", "C:\\"],
      ["GONE", undefined],
    ]);
    assertEquals(
      shellLines("intellij", values),
      'PLAIN=-javaagent:"C:\\Users\\Jo Doe\\a.jar"=1080 -Dx=y;LIST="C:\\\\a;D:\\\\b";QUOTED="\\"a\\" b";FOLDER="C:\\\\"',
    );
  });

  it("comes out of IntelliJ's rules for its field as it went in", () => {
    fc.assert(fc.property(fc.array(value), (values) => {
      const line = shellLines("intellij", new Map(values.map((each, at) => [`V${at}`, each])));
      assertEquals(readAsIntellij(line), values);
    }));
  });
});

/** The values of `NAME=VALUE;NAME=VALUE`: what begins with a quote goes to the next one, backslashes keeping signs in it; the rest goes to the semicolon. */
function readAsIntellij(line: string): string[] {
  const values: string[] = [];
  for (const [, quoted, bare] of line.matchAll(/V\d+=(?:"((?:[^"\\]|\\[^])*)"|([^;]*))(?:;|$)/g)) {
    values.push(quoted?.replace(/\\([^])/g, "$1") ?? bare!);
  }
  return values;
}
