import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { awaitOrigins } from "../../src/agent/await_origins.ts";
import { silentLog } from "../../src/platform/log.ts";
import { aborted } from "../../src/platform/interrupt.ts";
import { FakeClock, settled } from "../fake_clock.ts";

const origin = { host: "10.96.0.9", port: 80 };

/** Waits for an origin on a node on which each try ends as `tries` says, the last time again and again. */
function waiting(...tries: readonly ("lost" | "refused" | "taken")[]) {
  const clock = new FakeClock();
  const state = { tried: 0, done: false };
  const connect = async (
    _host: string,
    _port: number,
    signal: AbortSignal,
    { localPort = 0 }: { readonly localPort?: number } = {},
  ) => {
    assert(localPort >= 10_000 && localPort < 32_768, `a try from ${localPort}, which requests may come from later`);
    switch (tries[Math.min(state.tried++, tries.length - 1)]) {
      case "lost":
        return await aborted(signal);
      case "refused":
        throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
      default:
        return { close() {} };
    }
  };
  const never = new AbortController().signal;
  awaitOrigins([origin], never, { clock, log: silentLog, connect }).then(() => state.done = true);
  return { clock, state };
}

describe("awaitOrigins", () => {
  it("is content with a connection, and with a refusal, which only a node that knows the Service gives", async () => {
    for (const outcome of ["taken", "refused"] as const) {
      const { state } = waiting(outcome);
      await settled();
      assertEquals(state, { tried: 1, done: true });
    }
  });

  it("tries anew where nothing comes back for a second, as that connection never would", async () => {
    const { clock, state } = waiting("lost", "lost", "taken");
    await clock.advance(1_099);
    assertEquals(state, { tried: 1, done: false });
    await clock.advance(1_101);
    assertEquals(state, { tried: 3, done: true });
  });

  it("waits no longer than 9 s", async () => {
    const { clock, state } = waiting("lost");
    await clock.advance(9_000);
    await settled();
    assertEquals(state.done, true);
  });

  it("needs nothing where there is no origin", async () => {
    await awaitOrigins([], new AbortController().signal, { clock: new FakeClock(), log: silentLog });
  });
});
