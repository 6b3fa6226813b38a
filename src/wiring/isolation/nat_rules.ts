import { isIP } from "node:net";
import type { SocketAddress } from "../../cluster/parse_proc_net_tcp.ts";

/** An address of the namespace itself that is no loopback address: programs and resolvers want to see one. RFC 5737: nobody else has it. */
export const ownAddress = "192.0.2.1";

/** What the kernel is to do with connections that begin in the namespace. */
export interface NatRules {
  /** Port of ours on loopback to which everything goes that leaves the namespace. */
  readonly catchPort: number;
  /** What means the host's loopback: loopback addresses, or the unspecified ones for all of them. */
  readonly host: readonly SocketAddress[];
  /** Other addresses on which a program in the namespace listens. */
  readonly own: readonly SocketAddress[];
}

/** Who writes the rules: `iptables-restore` and `ip6tables-restore`, or `nft -f -`. */
export type NatTool = "iptables" | "nft";

const loopback = { 4: "127.0.0.0/8", 6: "::1/128" } as const;

/**
 * The whole of the rules of one family as the tool reads them, in place of those before. DNS of any server comes to our own resolver,
 * loopback stays but for the ports of the host, the namespace's own addresses stay, and all other TCP comes to us.
 */
export function natRules(tool: NatTool, family: 4 | 6, { catchPort, host, own }: NatRules): string {
  const mine = own.filter(({ address }) => isIP(address) === family);
  const hosts = new Map<string, { readonly to: string; readonly port: number }>();
  for (const { address, port } of host) {
    // A socket on all of IPv6 takes IPv4 as well.
    const all = address === "::" || family === 4 && address === "0.0.0.0";
    if (!all && isIP(address) !== family) continue;
    const to = all ? loopback[family] : address;
    hosts.set(`${to} ${port}`, { to, port });
  }
  return tool === "nft" ? nft() : iptables();

  function iptables(): string {
    const to = (port: number) => `-j REDIRECT --to-ports ${port}`;
    const rules = [
      `-p udp --dport 53 ${to(53)}`,
      `-p tcp --dport 53 ${to(53)}`,
      ...[...hosts.values()].map((each) => `-p tcp -d ${each.to} --dport ${each.port} ${to(catchPort)}`),
      `-d ${loopback[family]} -j ACCEPT`,
      ...family === 4 ? [`-d ${ownAddress} -j ACCEPT`] : [],
      ...mine.map(({ address, port }) => `-p tcp -d ${address} --dport ${port} -j ACCEPT`),
      `-p tcp ${to(catchPort)}`,
    ];
    return ["*nat", ...rules.map((rule) => `-A OUTPUT ${rule}`), "COMMIT", ""].join("\n");
  }

  function nft(): string {
    const ip = family === 4 ? "ip" : "ip6";
    const table = `table ${ip} hawser`;
    const rules = [
      "udp dport 53 redirect to :53",
      "tcp dport 53 redirect to :53",
      ...[...hosts.values()].map(({ to, port }) => `${ip} daddr ${to} tcp dport ${port} redirect to :${catchPort}`),
      `${ip} daddr ${loopback[family]} accept`,
      ...family === 4 ? [`ip daddr ${ownAddress} accept`] : [],
      ...mine.map(({ address, port }) => `${ip} daddr ${address} tcp dport ${port} accept`),
      `meta l4proto tcp redirect to :${catchPort}`,
    ];
    const hook = "type nat hook output priority -100; policy accept;";
    // Added first, so that there is one to delete.
    return [`add ${table}`, `delete ${table}`, `${table} {`, "chain output {", hook, ...rules, "}", "}", ""].join("\n");
  }
}
