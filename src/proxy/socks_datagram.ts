import { formatIp, parseIp } from "../platform/ip_address.ts";
import { concatBytes } from "../stream/concat_bytes.ts";
import type { Target } from "../tunnel/dialer.ts";
import { parseHostName } from "./host_name.ts";

/** What a client of a UDP association sends or gets, RFC 1928 §7. */
export interface SocksDatagram {
  /** Where it goes, or comes from. */
  readonly target: Target;
  readonly data: Uint8Array;
}

const ipv4 = 1, name = 3, ipv6 = 4;

/** Reads a client's datagram; undefined for what is to be dropped: fragments, which are not put together here, and what is none. `data` is a view. */
export function parseSocksDatagram(bytes: Uint8Array): SocksDatagram | undefined {
  const [, , fragment, type, length = 0] = bytes;
  if (bytes.length < 5 || fragment !== 0) return undefined;
  const start = type === name ? 5 : 4;
  const end = start + (type === ipv4 ? 4 : type === ipv6 ? 16 : length);
  if (type !== ipv4 && type !== ipv6 && type !== name || bytes.length < end + 2) return undefined;
  const address = bytes.subarray(start, end);
  const host = type === name ? parseHostName(new TextDecoder().decode(address)) : formatIp(address);
  const port = bytes[end]! << 8 | bytes[end + 1]!;
  if (host === undefined || port === 0) return undefined;
  return { target: { host, port, network: "udp" }, data: bytes.subarray(end + 2) };
}

/** A datagram for the client. */
export function formatSocksDatagram({ target: { host, port }, data }: SocksDatagram): Uint8Array {
  const ip = parseIp(host);
  const address = ip ?? new TextEncoder().encode(host);
  const type = ip === undefined ? [name, address.length] : [ip.length === 4 ? ipv4 : ipv6];
  return concatBytes([Uint8Array.from([0, 0, 0, ...type, ...address, port >> 8, port & 0xff]), data]);
}
