import { isIP } from "node:net";

/**
 * The bytes of an IP address, 4 or 16 in network order; undefined when `text` is no address. IPv6 is taken without brackets and
 * without zone (`fe80::1%eth0` is no address here: a zone means nothing to another machine).
 */
export function parseIp(text: string): Uint8Array | undefined {
  switch (isIP(text)) {
    case 4:
      return Uint8Array.from(text.split("."), Number);
    case 6:
      return text.includes("%") ? undefined : parseIpv6(text);
    default:
      return undefined;
  }
}

function parseIpv6(text: string): Uint8Array {
  const groups = (part: string) =>
    part === "" ? [] : part.split(":").flatMap((group) => {
      if (!group.includes(".")) return [parseInt(group, 16)];
      const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
      return [a << 8 | b, c << 8 | d];
    });
  const [before = "", after] = text.split("::");
  const head = groups(before);
  const tail = after === undefined ? [] : groups(after);
  const all = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/**
 * An address as text: dotted for 4 bytes, RFC 5952 for 16, where an IPv4-mapped one (`::ffff:0:0/96`) comes out dotted, because it
 * is the same destination. Throws a RangeError for any other length.
 */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) throw new RangeError(`An IP address has 4 or 16 bytes, not ${bytes.length}`);
  if (bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff) {
    return bytes.subarray(12).join(".");
  }
  const groups: number[] = [];
  for (let at = 0; at < 16; at += 2) groups.push(bytes[at]! << 8 | bytes[at + 1]!);
  const gap = longestZeroRun(groups);
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  return gap.length < 2
    ? hex(groups)
    : `${hex(groups.slice(0, gap.start))}::${hex(groups.slice(gap.start + gap.length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
