/** Writers for the little of ASN.1 DER (X.690) that certificates need. Each returns one complete element. */
export const der = { element, sequence, set, integer, oid, bits, octets, utf8, time, explicit, boolean };

function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  const head = length < 128
    ? [tag, length]
    : length < 256
    ? [tag, 0x81, length]
    : [tag, 0x82, length >> 8, length & 0xff];
  const out = new Uint8Array(head.length + length);
  out.set(head);
  let at = head.length;
  for (const part of contents) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function sequence(...items: readonly Uint8Array[]) {
  return element(0x30, ...items);
}

function set(...items: readonly Uint8Array[]) {
  return element(0x31, ...items);
}

/** An unsigned number, big endian. */
function integer(bytes: Uint8Array) {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  const sign = (digits[0] ?? 0) & 0x80 ? [0] : [];
  return element(0x02, Uint8Array.from(sign), digits);
}

function oid(dotted: string) {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift(0x80 | left & 0x7f);
    bytes.push(...digits);
  }
  return element(0x06, Uint8Array.from(bytes));
}

/** A bit string of whole bytes, or one with `unused` bits at its end. */
function bits(bytes: Uint8Array, unused = 0) {
  return element(0x03, Uint8Array.of(unused), bytes);
}

function octets(...contents: readonly Uint8Array[]) {
  return element(0x04, ...contents);
}

function utf8(text: string) {
  return element(0x0c, new TextEncoder().encode(text));
}

/** UTCTime, which holds until 2049. */
function time(date: Date) {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, "").slice(2);
  return element(0x17, new TextEncoder().encode(digits));
}

function explicit(number: number, ...contents: readonly Uint8Array[]) {
  return element(0xa0 | number, ...contents);
}

function boolean(value: boolean) {
  return element(0x01, Uint8Array.of(value ? 0xff : 0));
}
