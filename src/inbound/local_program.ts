import type { Clock } from "../platform/clock.ts";
import { withDeadline } from "../platform/deadline.ts";
import { connectTcp } from "../stream/connect_tcp.ts";

/** Where a program of this machine takes connections. */
export interface LocalProgram {
  /** Loopback addresses, tried in this order: a program may listen on one family alone. */
  readonly hosts: readonly string[];
  readonly port: number;
}

/** Whether anything listens there now. */
export async function listens({ hosts, port }: LocalProgram, clock: Clock, signal: AbortSignal): Promise<boolean> {
  for (const host of hosts) {
    try {
      const late = () => new Error("no answer");
      (await withDeadline(clock, 1_000, signal, late, (limit) => connectTcp(host, port, limit))).close();
      return true;
    } catch {
      signal.throwIfAborted();
    }
  }
  return false;
}
