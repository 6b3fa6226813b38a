import { assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Interrupted, watchInterrupts } from "../../src/platform/interrupt.ts";

function fakePlatform(os: typeof Deno.build.os = "linux") {
  const handlers = new Map<Deno.Signal, () => void>();
  const exits: number[] = [];
  const console: { end?: (signal: "SIGHUP" | "SIGTERM") => void } = {};
  const deps = {
    os,
    listen: (signal: Deno.Signal, handler: () => void) => void handlers.set(signal, handler),
    unlisten: (signal: Deno.Signal, handler: () => void) => {
      if (handlers.get(signal) === handler) handlers.delete(signal);
    },
    exit: (status: number) => void exits.push(status),
    holdConsoleEnd(onEnd: (signal: "SIGHUP" | "SIGTERM") => void) {
      console.end = onEnd;
      return () => void delete console.end;
    },
  };
  return { deps, handlers, exits, console };
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

  it("tells that Windows ends the console also while it is paused, and never takes that for a second signal", () => {
    const { deps, handlers, exits, console } = fakePlatform("windows");
    const watch = watchInterrupts(deps);
    watch.pause();
    console.end!("SIGHUP");
    assertEquals([watch.signal.aborted, watch.ending.aborted, watch.ending.reason.by], [true, true, "SIGHUP"]);
    watch.resume();
    console.end!("SIGTERM");
    handlers.get("SIGHUP")!();
    assertEquals(exits, []);
    handlers.get("SIGINT")!();
    assertEquals(exits, [130]);
  });

  it("takes Deno's word for it where Windows cannot be held back", () => {
    const { deps, handlers } = fakePlatform("windows");
    const watch = watchInterrupts(deps);
    handlers.get("SIGTERM")!();
    assertEquals([watch.signal.aborted, watch.ending.aborted], [true, true]);
  });

  it("is told of no console's end elsewhere", () => {
    const { deps, handlers, console } = fakePlatform("linux");
    const watch = watchInterrupts(deps);
    handlers.get("SIGHUP")!();
    assertEquals([console.end, watch.signal.aborted, watch.ending.aborted], [undefined, true, false]);
  });

  it("gives the signals back", () => {
    const { deps, handlers, console } = fakePlatform("windows");
    watchInterrupts(deps).close();
    assertEquals([handlers.size, console.end], [0, undefined]);
  });
});
