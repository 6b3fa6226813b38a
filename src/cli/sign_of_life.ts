import { duration } from "./duration.ts";

/** What it says about somebody that they have been quiet for so long. */
export interface SignOfLife {
  /** They renewed their Lease when they were to, a moment ago; they may have died since. */
  readonly live: boolean;
  /** They count as dead. */
  readonly gone: boolean;
  /** For people. */
  readonly text: string;
}

/** Milliseconds: who lives renews their Lease every 10 s, and is taken for dead after 40 s, with 2 s for the clocks of API servers. */
const recent = 15_000;
const longest = 42_000;

/** Reads a silence, in milliseconds; Infinity where nobody knows of any sign of life. */
export function signOfLife(quiet: number): SignOfLife {
  const live = quiet < recent;
  const gone = quiet > longest;
  if (!Number.isFinite(quiet)) return { live, gone, text: "gone" };
  return { live, gone, text: live ? "live" : `${gone ? "gone, silent" : "quiet"} for ${duration(quiet)}` };
}
