/**
 * Large buffers that were given back, for the next one who needs one: zeroing a fresh one costs more than filling it, and a transfer would else leave
 * as much garbage as it has bytes.
 */
const free = new Map<number, Uint8Array[]>();
/** Smaller ones are cheap, and not worth keeping. */
const smallest = 32 * 1024;
/** Bytes that are kept at the most. */
const limit = 8 * 1024 * 1024;
let kept = 0;

/** A buffer of exactly `size` bytes with anything in it. */
export function takeBuffer(size: number): Uint8Array {
  const buffer = free.get(size)?.pop();
  if (!buffer) return new Uint8Array(size);
  kept -= size;
  return buffer;
}

/** Gives back a buffer of `takeBuffer`, which nobody uses any more. */
export function giveBuffer(buffer: Uint8Array): void {
  const size = buffer.length;
  if (size < smallest || kept + size > limit) return;
  kept += size;
  const others = free.get(size);
  if (others) others.push(buffer);
  else free.set(size, [buffer]);
}
