import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Api, ApiError } from "../../src/cluster/api.ts";
import { takePart } from "../../src/inbound/participation.ts";
import { FakeClock } from "../fake_clock.ts";

const never = new AbortController().signal;
const participant = {
  namespace: "dev",
  service: "orders",
  owner: { id: "a1", name: "alice@laptop" },
  holding: { kind: "exchange", ports: [80], mark: "" },
} as const;

/** Takes part with a server that answers renewals as `answer` does; the seconds at which they came. */
async function renewals(clock: FakeClock, answer: (signal: AbortSignal) => Promise<unknown>) {
  const at: number[] = [];
  const patch = (_path: string, _type: string, _body: unknown, _query: unknown, signal: AbortSignal) => {
    at.push(clock.now() / 1000);
    return answer(signal);
  };
  // Nothing else is asked for.
  const api = { create: () => Promise.resolve({}), patch, delete: () => Promise.resolve() } as unknown as Api;
  return { at, participation: await takePart(participant, { api, clock }, never) };
}

describe("takePart", () => {
  it("renews every 10 s, and soon again where that failed", async () => {
    const clock = new FakeClock();
    let away = false;
    const { at, participation } = await renewals(
      clock,
      () => away ? Promise.reject(new Error("away")) : Promise.resolve(),
    );
    await clock.advance(20_000);
    away = true;
    await clock.advance(14_000);
    away = false;
    await clock.advance(12_000);
    assertEquals(at, [10, 20, 30, 32, 34, 36, 46]);
    await participation.leave(never);
    assertEquals(clock.pending, 0);
  });

  it("gives up a renewal that is not answered in time for others to fit into the Lease's time", async () => {
    const clock = new FakeClock();
    const hang = (signal: AbortSignal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
    const { at, participation } = await renewals(clock, hang);
    await clock.advance(40_000);
    assertEquals(at, [10, 22, 34]);
    await participation.leave(never);
    assertEquals(clock.pending, 0);
  });

  it("says so when somebody has removed the Lease", async () => {
    const clock = new FakeClock();
    const { participation } = await renewals(clock, () => Promise.reject(new ApiError(404, "NotFound", "", "")));
    await clock.advance(10_000);
    await participation.removed;
    assertEquals(clock.pending, 0);
  });
});
