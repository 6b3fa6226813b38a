import process from "node:process";
import v8 from "node:v8";
import vm from "node:vm";
import type { Clock } from "./clock.ts";

/** What `tidyWhenIdle` uses of the world. */
export interface IdleMemoryDeps {
  readonly clock: Clock;
  /** Processor time used so far, in milliseconds. */
  readonly cpuTime?: () => number;
  /** Collects all garbage now. */
  readonly collect?: () => void;
}

const interval = 15_000;
/** Milliseconds of processor time in one interval: work that leaves garbage worth collecting, and next to none. */
const busy = 500, idle = 100;

/**
 * Collects garbage once, when a busy time is over. V8 does that when it allocates, which an idle proxy does not: what a burst has left would
 * stay for hours. Returns the function that ends it.
 */
export function tidyWhenIdle({ clock, cpuTime = processorTime, collect = collectGarbage }: IdleMemoryDeps): () => void {
  let last = cpuTime();
  let due = false;
  let stop = clock.after(interval, look);
  function look(): void {
    const now = cpuTime();
    const used = now - last;
    last = now;
    if (used >= busy) {
      due = true;
    } else if (due && used <= idle) {
      due = false;
      collect();
      last = cpuTime();
    }
    stop = clock.after(interval, look);
  }
  return () => stop();
}

function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The collector is not exposed to programs unless a flag says so, which may be set late, for contexts that are made after it. */
function collectGarbage(): void {
  v8.setFlagsFromString("--expose-gc");
  const collector: unknown = vm.runInNewContext("gc");
  if (typeof collector === "function") collector();
}
