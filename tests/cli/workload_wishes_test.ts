import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { readOptions } from "../../src/cli/define_command.ts";
import { workloadFlags } from "../../src/cli/grammar/workload_flags.ts";
import { UsageError } from "../../src/cli/usage_error.ts";
import { workloadWishes } from "../../src/cli/workload_wishes.ts";
import { Failure } from "../../src/platform/failure.ts";

describe("workloadWishes", () => {
  let root: string;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  const wishes = (flag: "set" | "env-file", ...texts: readonly string[]) =>
    workloadWishes(readOptions(workloadFlags, new Map([[flag, { texts, origin: `--${flag}` }]])));

  it("takes names as Kubernetes does, and refuses others by their name", async () => {
    const { set } = await wishes("set", "_a.B-1=x=y", "EMPTY=");
    assertEquals([...set], [["_a.B-1", "x=y"], ["EMPTY", ""]]);
    for (const name of ["1A", "BAD NAME", "A+", " A"]) {
      const { message } = await assertRejects(() => wishes("set", `${name}=secret`), UsageError);
      assertEquals(
        message,
        `--set wants NAME=VALUE, with a name of letters, digits, "_", "." and "-", the first of them no digit: "${name}" is none`,
      );
    }
  });

  it("says that a folder is no file of variables", async () => {
    const { message } = await assertRejects(() => wishes("env-file", root), Failure);
    assertEquals(message, `"${root}" is a folder: --env-file wants a file of lines NAME=value`);
  });

  it("says that a file of variables is not there, or which line is none", async () => {
    await assertRejects(() => wishes("env-file", `${root}/none`), Failure, "There is no file");
    await Deno.writeTextFile(`${root}/a.env`, "A=1\n1B=secret\n");
    const { message } = await assertRejects(() => wishes("env-file", `${root}/a.env`), Failure);
    assertEquals(
      message,
      `"${root}/a.env", line 2: the name of a variable is of letters, digits, "_", "." and "-", the first of them no digit`,
    );
  });
});
