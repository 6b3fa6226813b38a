import { parseWorkload, type WorkloadName } from "../cluster/workload.ts";
import { type Expose, parseExpose } from "./expose.ts";

/** A Service, or a workload behind it, and the program here that answers one of its ports. */
export interface ServiceExpose {
  readonly target: WorkloadName;
  readonly expose: Expose;
}

/**
 * Reads `SERVICE:LOCAL[:PORT]`: `orders:8080`, `orders:8080:80`, `deploy/orders:127.0.0.2:8080:http`. Throws a TypeError that quotes what it cannot read.
 */
export function parseServiceExpose(text: string): ServiceExpose {
  const [, target = "", expose = ""] = /^([^:]+):(.+)$/s.exec(text) ?? [];
  if (target === "") {
    throw new TypeError(
      `"${text}" lacks a service or a port: write SERVICE:LOCAL or SERVICE:LOCAL:PORT, as in orders:8080:80`,
    );
  }
  return { target: parseWorkload(target), expose: parseExpose(expose) };
}
