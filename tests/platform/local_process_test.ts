import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { LocalProcess } from "../../src/platform/local_process.ts";

describe("LocalProcess", () => {
  const dead = new LocalProcess({ host: "vm", machine: "m1", pid: 7 });
  const here = new LocalProcess({ host: "vm", machine: "m1", pid: 8 }, (pid) => pid === 8);

  it("knows a process of this machine that is no more, and one that lives", () => {
    assertEquals([here.isGone(dead.mark), here.isGone(here.mark)], [true, false]);
  });

  it("says nothing about other machines, also where they have the same name", () => {
    const elsewhere = [{ host: "vm", machine: "m2", pid: 7 }, { host: "vm2", machine: "m1", pid: 7 }];
    assertEquals(elsewhere.map((own) => here.isGone(new LocalProcess(own).mark)), [false, false]);
  });

  it("says nothing about what it cannot read", () => {
    const pids = ["0", "-1", "1.5", '"7"', "null", "1e300"];
    const marks = [undefined, "", "{", "null", ...pids.map((pid) => `{"host":"vm","machine":"m1","pid":${pid}}`)];
    assertEquals(marks.filter((mark) => here.isGone(mark)), []);
  });

  it("is told again as the same machine by another process, on each system", async () => {
    const state = await Deno.makeTempDir({ prefix: "hawser-" });
    try {
      for (const os of new Set([Deno.build.os, "darwin", "windows"] as const)) {
        const open = () => LocalProcess.open({ os, host: "vm", state: () => state });
        const [one, other] = [await open(), await open()];
        assert(one && other);
        assertEquals(one.mark, other.mark);
        const gone = await new Deno.Command(Deno.execPath(), { args: ["--version"], stdout: "null" }).spawn();
        await gone.status;
        assertEquals(other.isGone(JSON.stringify({ ...JSON.parse(one.mark), pid: gone.pid })), true);
        assertEquals(other.isGone(one.mark), false);
      }
    } finally {
      await Deno.remove(state, { recursive: true });
    }
  });

  it("does without where there is no place to keep an id", async () => {
    const state = () => {
      throw new Error("HOME is not set");
    };
    assertEquals(await LocalProcess.open({ os: "darwin", host: "vm", state }), undefined);
  });
});
