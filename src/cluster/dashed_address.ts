import { formatIp, parseIp } from "../platform/ip_address.ts";

/**
 * The address that a DNS label of the cluster spells with dashes, in its usual form: `10-1-2-3` is 10.1.2.3, `fd00--7` is fd00::7.
 * Undefined for any other label. Kubernetes' DNS specification writes pods (`10-1-2-3.ns.pod.zone`) and endpoints without a host
 * name this way; CoreDNS puts a 0 where an IPv6 address ends with its gap (`fd00--0`), older ones do not, so both are taken.
 */
export function parseDashedAddress(label: string): string | undefined {
  const separator = /^\d+(?:-\d+){3}$/.test(label) ? "." : ":";
  const bytes = parseIp(label.replaceAll("-", separator));
  return bytes && formatIp(bytes);
}

/** The label for an address: 10.1.2.3 becomes `10-1-2-3`, fd00::7 becomes `fd00--7`, never with a dash at an end. */
export function formatDashedAddress(address: string): string {
  return address.replaceAll(/[.:]/g, "-").replace(/^-/, "0-").replace(/-$/, "-0");
}
