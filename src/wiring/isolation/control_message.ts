import type { SocketAddress } from "../../cluster/parse_proc_net_tcp.ts";

/** The first line to the process inside: what it is to do. */
export interface IsolationPlan {
  /** The program's file, its arguments and its whole environment. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What `/etc/resolv.conf` is to hold. */
  readonly resolvConf: string;
  /** Whether the host has a way to IPv6 addresses everywhere; else only to private ones, which may be the cluster's. */
  readonly ipv6: boolean;
  /** Port of the front door on the host's loopback, and what it asks for. */
  readonly door: { readonly port: number; readonly username: string; readonly password: string };
  readonly host: HostMessage["host"];
}

/** Each further line to the process inside. */
export interface HostMessage {
  /** Where something listens on the host's loopback: addresses of loopback, and the unspecified ones. */
  readonly host: readonly SocketAddress[];
}

/** Each line from the process inside: where programs listen there, loopback and unspecified addresses alone. */
export interface InsideMessage {
  readonly listening: readonly SocketAddress[];
}

/** Names of the sockets in the folder that both sides share. */
export const socketNames = {
  /** Lines of JSON both ways. */
  control: "control",
  /** The front door, framed. */
  door: "door",
  /** DNS as over TCP. */
  dns: "dns",
  /** DNS that came in datagrams, each in a connection of its own, framed as over TCP. */
  dnsDatagrams: "dns.datagrams",
  /** To programs inside, framed; see `takeConnections`. */
  inside: "inside",
} as const;

/** Bytes of one line at the most: an environment can be some megabytes. */
export const longestMessage = 16 * 1024 * 1024;
