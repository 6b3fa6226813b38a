import { Failure } from "../platform/failure.ts";
import { formatIp, parseIp } from "../platform/ip_address.ts";

/** A DNS server to ask. */
export interface Resolver {
  /** An IP address in its usual form. */
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `10.0.0.53`, `10.0.0.53:5353`, `fd00::53` or `[fd00::53]:5353`; the port is 53 by default. Throws a {@linkcode Failure} for
 * anything else: a name would have to be resolved first.
 */
export function parseResolver(text: string): Resolver {
  const parts = /^\[([^\]]+)\]:(\d{1,5})$/.exec(text) ?? /^([\d.]+):(\d{1,5})$/.exec(text);
  const host = parseIp(parts?.[1] ?? text);
  const port = parts ? Number(parts[2]) : 53;
  if (!host || port < 1 || port > 65535) {
    throw new Failure(`"${text}" is no DNS server: give an IP address, or ADDRESS:PORT (IPv6 as [ADDRESS]:PORT)`);
  }
  return { host: formatIp(host), port };
}
