import { giveBuffer, takeBuffer } from "./buffer_pool.ts";
import type { Duplex } from "./duplex.ts";

/** What a relay has carried, in bytes. */
export interface RelayCount {
  /** From the first stream to the second. */
  sent: number;
  /** From the second stream to the first. */
  received: number;
}

/**
 * Copies both ways until both directions have ended or one has failed, then closes both streams; never rejects. The end of one direction is
 * passed on as such (half-close); a failure resets both streams, so that neither end takes a broken transfer for a complete one.
 * `count` is kept up to date while it runs. Resolves with the error that broke it, or undefined.
 */
export async function relay(
  first: Duplex,
  second: Duplex,
  count: RelayCount = { sent: 0, received: 0 },
): Promise<Error | undefined> {
  let broken: Error | undefined;
  const fail = (error: unknown) => {
    broken ??= error instanceof Error ? error : new Error(String(error));
    first.reset();
    second.reset();
  };
  await Promise.all([
    copy(first, second, (bytes) => count.sent += bytes).catch(fail),
    copy(second, first, (bytes) => count.received += bytes).catch(fail),
  ]);
  first.close();
  second.close();
  return broken;
}

/** Buffers start small, since most connections are idle most of the time, and grow while data fills them: the cost of copying is per read. */
const smallest = 4096;
const largest = 262144;

/** Copies one direction; resolves at its end, which has then been passed on. */
async function copy(from: Duplex, to: Duplex, onBytes: (count: number) => void): Promise<void> {
  let buffer = takeBuffer(smallest);
  try {
    for (let full = 0;;) {
      const count = await from.read(buffer);
      if (count === null) break;
      onBytes(count);
      await to.write(buffer.subarray(0, count));
      full = count === buffer.length ? full + 1 : 0;
      if (full === 2 && buffer.length < largest) {
        full = 0;
        giveBuffer(buffer);
        buffer = takeBuffer(buffer.length * 4);
      }
    }
    await to.closeWrite();
  } finally {
    giveBuffer(buffer);
  }
}
