import { BlockList } from "node:net";

const privateRanges = new BlockList();
privateRanges.addSubnet("10.0.0.0", 8, "ipv4");
privateRanges.addSubnet("172.16.0.0", 12, "ipv4");
privateRanges.addSubnet("192.168.0.0", 16, "ipv4");
privateRanges.addSubnet("100.64.0.0", 10, "ipv4");
privateRanges.addSubnet("fc00::", 7, "ipv6");

/**
 * Whether `address` (an IPv4 or IPv6 address in its usual form) is of a range that clusters give to services and pods: RFC 1918,
 * the shared space of RFC 6598 (100.64.0.0/10, which some clouds use for pods) or unique local IPv6 (RFC 4193).
 */
export function isPrivateAddress(address: string): boolean {
  return privateRanges.check(address, address.includes(":") ? "ipv6" : "ipv4");
}
