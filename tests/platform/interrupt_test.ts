import { assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Interrupted, watchInterrupts } from "../../src/platform/interrupt.ts";

function fakePlatform(os: typeof Deno.build.os = "linux") {
  const handlers = new Map<Deno.Signal, () => void>();
  const exits: number[] = [];
  const deps = {
    os,
    listen: (signal: Deno.Signal, handler: () => void) => void handlers.set(signal, handler),
    unlisten: (signal: Deno.Signal, handler: () => void) => {
      if (handlers.get(signal) === handler) handlers.delete(signal);
    },
    exit: (status: number) => void exits.push(status),
  };
  return { deps, handlers, exits };
}

describe("watchInterrupts", () => {
  it("aborts at the first signal and leaves at the second", () => {
    const { deps, handlers, exits } = fakePlatform();
    const { signal } = watchInterrupts(deps);
    handlers.get("SIGTERM")!();
    assertEquals([signal.aborted, exits], [true, []]);
    assertInstanceOf(signal.reason, Interrupted);
    handlers.get("SIGINT")!();
    assertEquals(exits, [130]);
  });

  it("watches Ctrl-Break on Windows only", () => {
    for (const [os, expected] of [["linux", false], ["windows", true]] as const) {
      const { deps, handlers } = fakePlatform(os);
      watchInterrupts(deps);
      assertEquals(handlers.has("SIGBREAK"), expected);
    }
  });

  it("keeps the process alive while it is paused, and takes signals again afterwards", () => {
    const { deps, handlers, exits } = fakePlatform();
    const watch = watchInterrupts(deps);
    watch.pause();
    handlers.get("SIGINT")!();
    handlers.get("SIGINT")!();
    assertEquals([watch.signal.aborted, exits], [false, []]);
    watch.resume();
    handlers.get("SIGINT")!();
    assertEquals([watch.signal.aborted, exits], [true, []]);
  });

  it("gives the signals back", () => {
    const { deps, handlers } = fakePlatform();
    watchInterrupts(deps).close();
    assertEquals(handlers.size, 0);
  });
});
