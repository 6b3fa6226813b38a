import { type HostPattern, parseHostPattern } from "./host_pattern.ts";

const loopback = ["localhost", "*.localhost", "127.0.0.0/8", "::1", "0.0.0.0", "::"].map(parseHostPattern);
const linkLocal = ["169.254.0.0/16", "fe80::/10"].map(parseHostPattern);
const oneOf = (patterns: readonly HostPattern[]): HostPattern => (host) => patterns.some((pattern) => pattern(host));

/** Whether a host is this machine itself: `localhost` (RFC 6761), loopback addresses, and the unspecified ones, which systems connect to loopback. */
export const isLoopback: HostPattern = oneOf(loopback);

/** Whether a host is a link-local address: never the cluster's, as it means something else on every machine. */
export const isLinkLocal: HostPattern = oneOf(linkLocal);
