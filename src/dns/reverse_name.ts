import { formatIp } from "../platform/ip_address.ts";

/**
 * The address that a name of the reverse tree stands for: `7.0.96.10.in-addr.arpa` is 10.96.0.7 (RFC 1035 §3.5), 32 nibbles under
 * `ip6.arpa` are an IPv6 address (RFC 3596 §2.5). Undefined for any other name, those of whole networks included.
 */
export function parseReverseName(name: string): string | undefined {
  const lower = name.toLowerCase();
  const v4 = /^((?:(?:0|[1-9]\d{0,2})\.){4})in-addr\.arpa$/.exec(lower);
  if (v4) {
    const bytes = v4[1]!.split(".", 4).map(Number).toReversed();
    return bytes.every((byte) => byte < 256) ? formatIp(Uint8Array.from(bytes)) : undefined;
  }
  const v6 = /^((?:[\da-f]\.){32})ip6\.arpa$/.exec(lower);
  if (!v6) return undefined;
  const nibbles = v6[1]!.split(".", 32).map((nibble) => parseInt(nibble, 16)).toReversed();
  return formatIp(Uint8Array.from({ length: 16 }, (_, at) => nibbles[2 * at]! << 4 | nibbles[2 * at + 1]!));
}
