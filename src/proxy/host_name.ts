import { isIP } from "node:net";
import { domainToASCII } from "node:url";

/**
 * Reads a host as clients write it: a name, an IPv4 address, an IPv6 address with or without brackets. Undefined where it is none of them, so
 * that nothing that would be syntax elsewhere (spaces, slashes, line ends) travels on into another protocol. Names are
 * kept as they are, but for those beyond ASCII, which come out in their DNS form (`xn--…`).
 */
export function parseHostName(text: string): string | undefined {
  const bare = /^\[(.*)\]$/.exec(text)?.[1];
  if (bare !== undefined) return isIP(bare) === 6 ? bare : undefined;
  if (isIP(text)) return text;
  // deno-lint-ignore no-control-regex
  const name = /^[\x00-\x7f]*$/.test(text) ? text : domainToASCII(text);
  return /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name) && name.length <= 254 ? name : undefined;
}

/** Reads `host:port` with a port of 1 to 65535; undefined where it is something else. The port may be left out when there is a default. */
export function parseHostPort(text: string, defaultPort?: number): { host: string; port: number } | undefined {
  const match = /^(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?$/.exec(text);
  const host = parseHostName(match?.[1] ?? "");
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  return host !== undefined && port !== undefined && port >= 1 && port <= 65535 ? { host, port } : undefined;
}
