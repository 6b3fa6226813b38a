/** The FNV-1a hash of a text's UTF-8, 32 bit: spreads names evenly, and is the same on every machine. */
export function fnv1a(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}
