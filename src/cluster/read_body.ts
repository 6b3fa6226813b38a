import { header } from "../stream/http_head.ts";
import type { HttpExchange } from "./http_pool.ts";

/** The whole body of an answer as text, decompressed where it is gzip. Throws a RangeError when it is longer than `limit` bytes, either way. */
export async function readBody(exchange: HttpExchange, limit: number): Promise<string> {
  const coding = header(exchange.head.headers, "content-encoding") ?? "identity";
  const length = Number(header(exchange.head.headers, "content-length") ?? 0);
  const bytes = await collect((into) => exchange.read(into), length, limit);
  switch (coding.toLowerCase()) {
    case "identity":
      return new TextDecoder().decode(bytes);
    case "gzip":
      return new TextDecoder().decode(await gunzip(bytes, limit));
    default:
      throw new TypeError(`the answer is in a coding nobody asked for, "${coding}"`);
  }
}

/** Reads to the end. `expected` is a hint how many bytes there are. */
async function collect(
  read: (into: Uint8Array) => Promise<number | null>,
  expected: number,
  limit: number,
): Promise<Uint8Array<ArrayBuffer>> {
  // The hint comes from outside: it may save copies, but not claim memory that no byte has paid for.
  let bytes = new Uint8Array(Math.min(Math.max(expected + 1, 16384), 1024 * 1024, limit + 1));
  let used = 0;
  for (;;) {
    if (used === bytes.length) {
      if (used > limit) throw new RangeError(`the answer is longer than ${limit} bytes`);
      const grown = new Uint8Array(Math.min(bytes.length * 2, limit + 1));
      grown.set(bytes);
      bytes = grown;
    }
    const count = await read(bytes.subarray(used));
    if (count === null) return bytes.subarray(0, used);
    used += count;
  }
}

async function gunzip(bytes: Uint8Array<ArrayBuffer>, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new DecompressionStream("gzip");
  const writer = stream.writable.getWriter();
  // What goes wrong here shows in the reader too.
  writer.write(bytes).catch(() => {});
  writer.close().catch(() => {});
  const reader = stream.readable.getReader();
  let rest = new Uint8Array(0);
  try {
    return await collect(
      async (into) => {
        while (rest.length === 0) {
          const { done, value } = await reader.read();
          if (done) return null;
          rest = value;
        }
        const count = Math.min(rest.length, into.length);
        into.set(rest.subarray(0, count));
        rest = rest.subarray(count);
        return count;
      },
      bytes.length * 8,
      limit,
    );
  } finally {
    await reader.cancel();
  }
}
