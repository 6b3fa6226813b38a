import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { systemClock } from "../../src/platform/clock.ts";
import { tidyWhenIdle } from "../../src/platform/idle_memory.ts";
import { FakeClock } from "../fake_clock.ts";

describe("tidyWhenIdle", () => {
  it("collects once after a busy time, and not before, nor again", async () => {
    const clock = new FakeClock();
    let cpu = 0, collected = 0;
    const stop = tidyWhenIdle({ clock, cpuTime: () => cpu, collect: () => collected++ });
    const seen: number[] = [];
    for (const used of [50, 900, 3000, 200, 50, 50, 700, 60]) {
      cpu += used;
      await clock.advance(15_000);
      seen.push(collected);
    }
    assertEquals(seen, [0, 0, 0, 0, 1, 1, 1, 2]);
    stop();
    assertEquals(clock.pending, 0);
  });

  it("does collect", async () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const registry = new FinalizationRegistry(() => resolve());
    (() => registry.register({ large: new Array(1000) }, "large"))();
    let cpu = 0;
    const clock = new FakeClock();
    const stop = tidyWhenIdle({ clock, cpuTime: () => cpu });
    cpu = 1000;
    await clock.advance(30_000);
    stop();
    const late = systemClock.after(5_000, () => reject(new Error("Nothing was collected")));
    await promise;
    late();
  });
});
