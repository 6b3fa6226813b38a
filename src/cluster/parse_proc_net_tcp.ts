import { formatIp } from "../platform/ip_address.ts";

/** One end of a TCP connection. */
export interface SocketAddress {
  /** In canonical form; IPv4-mapped IPv6 is IPv4. */
  readonly address: string;
  readonly port: number;
}

/** A line of `/proc/net/tcp`. */
export interface TcpSocket {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly established: boolean;
  readonly listening: boolean;
}

const line =
  /^ *\d+: ((?:[0-9A-F]{8}|[0-9A-F]{32}):[0-9A-F]{4}) ((?:[0-9A-F]{8}|[0-9A-F]{32}):[0-9A-F]{4}) ([0-9A-F]{2}) /;

/** TCP_ESTABLISHED and TCP_LISTEN of Linux. */
const established = 0x01, listen = 0x0a;

/**
 * Reads Linux' `/proc/net/tcp` and `/proc/net/tcp6`, one behind the other too (proc(5)): addresses are words of 32 bits as a little-endian machine prints them, ports
 * are plain. Lines that are none are left out, as is one that was cut off.
 */
export function parseProcNetTcp(text: string): TcpSocket[] {
  return text.split("\n").flatMap((each) => {
    const [, local = "", remote = "", state = ""] = line.exec(each) ?? [];
    if (state === "") return [];
    return [{
      local: socketAddress(local),
      remote: socketAddress(remote),
      established: parseInt(state, 16) === established,
      listening: parseInt(state, 16) === listen,
    }];
  });
}

function socketAddress(text: string): SocketAddress {
  const [address = "", port = ""] = text.split(":");
  const bytes = Uint8Array.fromHex(address);
  for (let at = 0; at < bytes.length; at += 4) bytes.subarray(at, at + 4).reverse();
  return { address: formatIp(bytes), port: parseInt(port, 16) };
}
