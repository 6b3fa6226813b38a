import type { Lease } from "./lease.ts";

/** Milliseconds. Both times are rounded down to seconds, and the API servers of one cluster may differ a little. */
export const serverTolerance = 2_000;

/**
 * Milliseconds for which nobody has written a Lease, by the API server's clock alone: from when it last noted a write to the `date` of its answer. Undefined where it does
 * not tell both, or where they make no sense together.
 */
export function leaseQuiet({ metadata }: Lease, date: number | undefined): number | undefined {
  const times = (metadata.managedFields ?? []).map(({ time }) => Date.parse(time ?? ""));
  const quiet = (date ?? NaN) - Math.max(...times.filter((time) => !Number.isNaN(time)));
  return Number.isFinite(quiet) && quiet >= -serverTolerance ? Math.max(0, quiet) : undefined;
}
