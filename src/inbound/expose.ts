import { isIP } from "node:net";

/** Which program here answers which port of a Service. */
export interface Expose {
  /** A loopback address; undefined stands for 127.0.0.1, then ::1. */
  readonly host: string | undefined;
  readonly local: number;
  /** Port of the Service by number or name; undefined for its only one, or the one that `local` names. */
  readonly port: number | string | undefined;
  /** What stands before LOCAL where it is written, for advice: `--exchange orders:`. Default: `--expose `. */
  readonly before?: string;
}

/**
 * Reads `[HOST:]LOCAL[:PORT]`: `8080`, `8080:80`, `8080:http`, `127.0.0.2:8080:80`, `[::1]:8080`. Only loopback hosts: what comes from the cluster is for
 * programs of this machine. Throws a TypeError that quotes what it cannot read.
 */
export function parseExpose(text: string): Expose {
  const [, bracketed, named, local = "", port] =
    /^(?:\[([^\]]*)\]:|([^:]*[^:\d][^:]*):)?(\d{1,5})(?::([^:]+))?$/.exec(text) ?? [];
  const host = bracketed ?? named;
  const number = Number(local);
  if (local === "" || number < 1 || number > 65535) {
    throw new TypeError(`"${text}" is no local port: write LOCAL, LOCAL:PORT or HOST:LOCAL:PORT, as in 8080:80`);
  }
  if (host !== undefined && host !== "localhost" && host !== "::1" && !(isIP(host) === 4 && host.startsWith("127."))) {
    throw new TypeError(
      `"${host}" in "${text}" is not this machine: hawser hands the cluster's requests to programs here only (127.x.y.z, ::1, localhost)`,
    );
  }
  const known = { host: host === "localhost" ? undefined : host, local: number };
  if (port === undefined) return { ...known, port: undefined };
  if (/^\d+$/.test(port)) {
    if (Number(port) < 1 || Number(port) > 65535) throw new TypeError(`"${port}" in "${text}" is no port`);
    return { ...known, port: Number(port) };
  }
  if (!/^(?=[a-z0-9-]*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(port)) {
    throw new TypeError(`"${port}" in "${text}" is no port: give a number, or the name that the service has for it`);
  }
  return { ...known, port };
}
