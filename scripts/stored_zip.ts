/** A file of an archive. */
export interface ZipEntry {
  /** Its path, with slashes. ASCII only. */
  readonly name: string;
  readonly data: Uint8Array;
}

/** 1980-01-01, 00:00, the earliest there is: month and day in the date's lowest nine bits. */
const noTime = 0;
const noDate = 1 << 5 | 1;
/** Version of the specification needed to extract: 1.0. */
const version = 10;
const localHeaderSize = 30;
const centralHeaderSize = 46;
const endSize = 22;

/** An archive (PKWARE's APPNOTE, 4.3) of entries neither compressed nor dated, so that the same files always make the same bytes. */
export function storedZip(entries: readonly ZipEntry[]): Uint8Array<ArrayBuffer> {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  let directorySize = 0;
  for (const { name, data } of entries) {
    const path = new TextEncoder().encode(name);
    const shared = [version, 0, 0, noTime, noDate];
    const sizes = [crc32(data), data.length, data.length];
    const local = record(localHeaderSize, 0x04034b50, shared, sizes, [path.length, 0]);
    const central = record(centralHeaderSize, 0x02014b50, [version, ...shared], sizes, [path.length, 0, 0, 0, 0, 0, 0]);
    new DataView(central.buffer).setUint32(42, offset, true);
    files.push(local, path, data);
    directory.push(central, path);
    offset += local.length + path.length + data.length;
    directorySize += central.length + path.length;
  }
  const count = entries.length;
  const end = record(endSize, 0x06054b50, [0, 0, count, count], [directorySize, offset], [0]);
  return joined([...files, ...directory, end]);
}

/** A header: its signature, fields of two bytes, fields of four bytes, fields of two bytes; zeros up to its size. */
function record(
  size: number,
  signature: number,
  shorts: readonly number[],
  longs: readonly number[],
  more: readonly number[],
): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(size));
  view.setUint32(0, signature, true);
  let at = 4;
  const put = (values: readonly number[]) => values.forEach((value) => (view.setUint16(at, value, true), at += 2));
  put(shorts);
  for (const value of longs) {
    view.setUint32(at, value, true);
    at += 4;
  }
  put(more);
  return new Uint8Array(view.buffer);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** CRC-32 of ISO 3309. */
function crc32(data: Uint8Array): number {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
