import { BlockList, isIP } from "node:net";

/** Whether a host (a name in any case, or an address) is one of those a pattern means. */
export type HostPattern = (host: string) => boolean;

/**
 * Reads a pattern of `--include` and `--exclude`: `db.corp` (that name alone), `*.corp` or `.corp` (all names below it), `10.1.2.3`,
 * `fd00::1`, `10.1.0.0/16` (addresses), `*` (everything). Throws a TypeError that quotes what is none of them.
 */
export function parseHostPattern(text: string): HostPattern {
  const pattern = text.trim().toLowerCase().replace(/\.$/, "");
  if (pattern === "*") return () => true;
  const [network = "", prefix, ...more] = pattern.split("/");
  const version = isIP(network);
  if (version !== 0) {
    const bits = version === 4 ? 32 : 128;
    if (more.length > 0 || prefix !== undefined && !(/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)) {
      throw new TypeError(`"${text}" is not an address range: the part behind the slash is a number from 0 to ${bits}`);
    }
    return inNetwork(network, prefix === undefined ? bits : Number(prefix));
  }
  const name = pattern.replace(/^\*?\./, "");
  if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name)) {
    throw new TypeError(
      `"${text}" is not a host pattern: write a name, "*.SUFFIX", an address or a range such as 10.1.0.0/16`,
    );
  }
  return name === pattern ? (host) => normal(host) === name : (host) => normal(host).endsWith(`.${name}`);
}

function normal(host: string): string {
  return host.toLowerCase().replace(/\.$/, "");
}

function inNetwork(network: string, prefix: number): HostPattern {
  const family = (address: string) => isIP(address) === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, prefix, family(network));
  return (host) => isIP(host) !== 0 && list.check(host, family(host));
}
