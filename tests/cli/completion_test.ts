import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { completionScripts } from "../../src/cli/completion.ts";

/**
 * A stand-in for the executable: answers with one candidate for each word it got, so that a test sees what the shell passed on, after `CANDIDATES`.
 */
const program = `#!/bin/sh
shift 2
last=
for last; do :; done
[ "$last" = want-files ] && { echo :files; exit; }
printf '%s\\n' "$#:$*" >> "$LOG"
printf '%s\\n' $CANDIDATES | grep "^$last" | while read -r word; do printf '%s\\tsome words: explained\\n' "$word"; done
`;

describe("completion scripts", () => {
  let root: string;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
    await Deno.writeTextFile(`${root}/hawser`, program, { mode: 0o755 });
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  /** Output of a script in a shell, and the words that the program was asked with; undefined where this machine has no such shell. */
  async function inShell(command: readonly string[], script: string, candidates: string) {
    const env = {
      PATH: `${root}:${Deno.env.get("PATH")}`,
      LOG: `${root}/log`,
      CANDIDATES: candidates,
      HOME: root,
      LC_ALL: "C.UTF-8",
    };
    await Deno.writeTextFile(`${root}/log`, "");
    try {
      const { stdout, stderr } = await new Deno.Command(command[0]!, {
        args: [...command.slice(1), script],
        env,
        clearEnv: true,
        cwd: root,
      }).output();
      const text = new TextDecoder();
      return {
        out: text.decode(stdout),
        err: text.decode(stderr),
        asked: (await Deno.readTextFile(`${root}/log`)).trim(),
      };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** What bash would put into COMPREPLY for the pieces it makes of a line. */
  const inBash = (pieces: readonly string[], candidates: string) =>
    inShell(
      ["bash", "--norc", "-c"],
      `${completionScripts.bash}
COMP_WORDS=(${pieces.map((piece) => `'${piece}'`).join(" ")}); COMP_CWORD=${pieces.length - 1}
_hawser hawser; printf '%s\\n' "\${COMPREPLY[@]}"`,
      candidates,
    );

  it("work in bash", async () => {
    const result = await inBash(["hawser", "con"], "connect config env");
    if (result) assertEquals(result, { out: "connect\nconfig\n", err: "", asked: "1:con" });
  });

  it("join in bash what it splits at = : and @, and answer with the last piece only", async () => {
    const flag = await inBash(["hawser", "env", "--shell", "=", "f"], "--shell=fish");
    if (flag) assertEquals(flag, { out: "fish\n", err: "", asked: "2:env --shell=f" });
    const context = await inBash(["hawser", "--context", "arn", ":", "aws"], "arn:aws:eks arn:aws:ecs");
    if (context) assertEquals(context, { out: "aws:eks\naws:ecs\n", err: "", asked: "2:--context arn:aws" });
    const user = await inBash(["hawser", "--context", "me", "@", ""], "me@stage");
    if (user) assertEquals(user, { out: "stage\n", err: "", asked: "2:--context me@" });
  });

  it("ask bash for files", async () => {
    const result = await inBash(["hawser", "--kubeconfig", "want-files"], "");
    if (result) assertEquals(result.err, "");
  });

  it("work in zsh", async () => {
    // Without a terminal zsh completes nothing, so what it would show is caught where it would be shown.
    const script = `compdef() { :; }
_describe() { print -rl -- "\${(@P)2}"; }
_files() { print FILES; }
${completionScripts.zsh}
words=(hawser --context 'kind\\ a:b' co) CURRENT=4 _hawser
words=(hawser want-files) CURRENT=2 _hawser`;
    const result = await inShell(["zsh", "-f", "-c"], script, "connect co:lon");
    if (result) {
      assertEquals(result, {
        out: "connect:some words: explained\nco\\:lon:some words: explained\nFILES\n",
        err: "",
        asked: "3:--context kind a:b co",
      });
    }
  });

  it("work in fish", async () => {
    const script = `${completionScripts.fish}
complete -C 'hawser --context x co'`;
    const result = await inShell(["fish", "--no-config", "-c"], script, "connect config env");
    if (result) {
      assertEquals(result, {
        out: "config\tsome words: explained\nconnect\tsome words: explained\n",
        err: "",
        asked: "3:--context x co",
      });
    }
  });
});
