import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isAlive } from "../../src/platform/process.ts";
import { OwnProcess } from "./own_process.ts";

const here = (path: string) => JSON.stringify(import.meta.resolve(path));
const windows = Deno.build.os === "windows";

/** Holds its tree, and starts a shell that starts a program, as mvn.cmd does; `then` is what it does next. */
const starting = (then: string) => `
  import { holdProcessTree } from ${here("../../src/platform/hold_process_tree.ts")};
  const tree = holdProcessTree();
  const program = "console.log(Deno.pid); setInterval(() => {}, 1000)";
  const child = new Deno.Command("cmd", { args: ["/d", "/c", Deno.execPath(), "eval", program] }).spawn();
  console.log(child.pid);
  ${then}
  await child.status;`;

async function gone(pid: number): Promise<boolean> {
  for (let look = 0; isAlive(pid) && look < 50; look++) await new Promise((resolve) => setTimeout(resolve, 100));
  return !isAlive(pid);
}

describe("holdProcessTree", { ignore: !windows }, () => {
  async function pids(process: OwnProcess): Promise<number[]> {
    const found = [Number(await process.line()), Number(await process.line())];
    assertEquals(found.map(isAlive), [true, true]);
    return found;
  }

  it("ends the program of a batch file with us, however we end", async () => {
    await using process = await OwnProcess.start(starting(""));
    const started = await pids(process);
    process.kill();
    assertEquals(await Promise.all(started.map(gone)), [true, true]);
  });

  it("leaves to themselves those that a program has left running", async () => {
    await using process = await OwnProcess.start(starting(`
      await new Promise((resolve) => setTimeout(resolve, 1000));
      child.kill();
      await child.status;
      tree.release();
      Deno.exit(5);`));
    const [, program = 0] = await pids(process);
    try {
      assertEquals(await process.ended(), 5);
      await new Promise((resolve) => setTimeout(resolve, 500)); // it would be gone by then
      assert(isAlive(program));
    } finally {
      Deno.kill(program, "SIGKILL");
    }
  });
});
