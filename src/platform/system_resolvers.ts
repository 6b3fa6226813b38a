import dns from "node:dns";
import { isIP } from "node:net";

/** What {@linkcode systemResolvers} learns from. */
export interface SystemResolversDeps {
  readonly os: typeof Deno.build.os;
  readTextFile(path: string): Promise<string>;
  /** The servers that Deno's own resolver uses. */
  servers(): string[];
}

const systemDeps: SystemResolversDeps = {
  os: Deno.build.os,
  readTextFile: Deno.readTextFile,
  servers: dns.getServers,
};

/**
 * Addresses of the DNS servers that this machine uses (port 53), in order; empty where they cannot be found out. From
 * `/etc/resolv.conf`; on Windows, where Deno reads the adapters' settings, from Deno.
 */
export async function systemResolvers(deps: SystemResolversDeps = systemDeps): Promise<string[]> {
  if (deps.os === "windows") return usable(deps.servers());
  try {
    return usable(nameservers(await deps.readTextFile("/etc/resolv.conf")));
  } catch {
    return [];
  }
}

/** Servers that Deno's resolver makes up where it cannot read the system's: nobody chose to tell Google their names. */
const madeUp = ["8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844"];

function usable(servers: readonly string[]): string[] {
  // Zoned addresses mean nothing to a socket elsewhere, and Windows lists the long dead fec0::/10 for adapters without any server.
  const unique = [...new Set(servers)].filter((one) => isIP(one) !== 0 && !/%|^fec0:/i.test(one));
  const isMadeUp = unique.length === madeUp.length && madeUp.every((one) => unique.includes(one));
  return isMadeUp ? [] : unique;
}

function nameservers(text: string): string[] {
  return text.split("\n").flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? []);
}
