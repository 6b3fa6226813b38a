import { formatIp, parseIp } from "../platform/ip_address.ts";

/** An IP address in the one form in which addresses are compared; text that is no address comes back as it is. */
export function canonicalAddress(text: string): string {
  const bytes = parseIp(text);
  return bytes ? formatIp(bytes) : text;
}
