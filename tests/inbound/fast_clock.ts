import { type Clock, systemClock } from "../../src/platform/clock.ts";

/** The machine's clock, so many times as fast: for what waits for long between processes that tests cannot step. */
export function fastClock(factor: number): Clock {
  return {
    now: () => systemClock.now() * factor,
    wall: () => systemClock.wall(),
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
    after: (ms, action) => systemClock.after(ms / factor, action),
  };
}
