import type { Duplex } from "./duplex.ts";
import type { Body } from "./http_body.ts";
import { formatLastChunk } from "./http_head.ts";

const smallest = 4096;
const largest = 262_144;
/** `3fff8\r\n` before a chunk's bytes, `\r\n` behind them. */
const before = 7;
const behind = 2;

/**
 * Copies a message body to its end, as it is or in chunked coding (RFC 9112 §7.1; each chunk in one write, the last one with
 * the trailers). The buffer starts small and grows while reads fill it. `onBytes` is told of the body's own bytes.
 */
export async function copyBody(
  body: Body,
  to: Pick<Duplex, "write">,
  chunked: boolean,
  onBytes: (count: number) => void,
): Promise<void> {
  let buffer = new Uint8Array(smallest);
  for (;;) {
    const room = chunked ? buffer.subarray(before, buffer.length - behind) : buffer;
    const count = await body.read(room);
    if (count === null) break;
    onBytes(count);
    await to.write(chunked ? frame(buffer, count) : buffer.subarray(0, count));
    if (count === room.length && buffer.length < largest) buffer = new Uint8Array(buffer.length * 4);
  }
  if (chunked) await to.write(formatLastChunk(body.trailers));
}

/** Puts the chunk's size before the bytes at `before` and a line end behind them. */
function frame(buffer: Uint8Array, count: number): Uint8Array {
  const size = new TextEncoder().encode(`${count.toString(16)}\r\n`);
  const start = before - size.length;
  buffer.set(size, start);
  buffer.set([13, 10], before + count);
  return buffer.subarray(start, before + count + behind);
}
