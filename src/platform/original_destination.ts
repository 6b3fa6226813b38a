import { formatIp } from "./ip_address.ts";

/** An address and a port. */
export interface Destination {
  readonly host: string;
  readonly port: number;
}

/** Tells where a TCP connection was going before the kernel's NAT redirected it to us. */
export interface OriginalDestinations {
  /** Asks of a copy of an accepted socket's descriptor, which is closed then; undefined where nothing has redirected the connection. */
  take(fd: number, family: 4 | 6): Destination | undefined;
  close(): void;
}

/** `level` and `name` of getsockopt: SOL_IP and SOL_IPV6 with SO_ORIGINAL_DST (linux/netfilter_ipv4.h, linux/netfilter_ipv6/ip6_tables.h). */
const options = { 4: [0, 80], 6: [41, 80] } as const;

/** Where the port and the address are in sockaddr_in and sockaddr_in6 (ip(7), ipv6(7)), both in network order. */
const portAt = 2;
const addressAt = { 4: [4, 8], 6: [8, 24] } as const;

/**
 * Opens the C library for getsockopt and close, of which Deno offers nothing: what every transparent proxy on Linux asks. Throws where there is
 * no such library.
 */
export function openOriginalDestinations(): OriginalDestinations {
  const library = Deno.dlopen("libc.so.6", {
    close: { parameters: ["i32"], result: "i32" },
    getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  });
  return {
    take(fd, family) {
      const address = new Uint8Array(28);
      const length = new Uint32Array([address.length]);
      const [level, name] = options[family];
      const failed = library.symbols.getsockopt(fd, level, name, address, length) !== 0;
      library.symbols.close(fd);
      if (failed) return undefined;
      return {
        host: formatIp(address.slice(...addressAt[family])),
        port: new DataView(address.buffer).getUint16(portAt),
      };
    },
    close: () => library.close(),
  };
}
