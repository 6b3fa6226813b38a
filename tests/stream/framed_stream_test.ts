import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { concatBytes } from "../../src/stream/concat_bytes.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { FramedStream } from "../../src/stream/framed_stream.ts";
import { duplexPair } from "./duplex_pair.ts";

function framedPair(capacity?: number): [FramedStream, FramedStream] {
  const [one, other] = duplexPair(capacity);
  return [new FramedStream(one), new FramedStream(other)];
}

async function readAll(stream: Duplex, size: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const buffer = new Uint8Array(size);
  for (let count = await stream.read(buffer); count !== null; count = await stream.read(buffer)) {
    pieces.push(buffer.slice(0, count));
  }
  return concatBytes(pieces);
}

describe("FramedStream", () => {
  it("carries bytes and their end, whatever pieces they are written and read in", async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }),
      fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constant(65536)),
      fc.integer({ min: 1, max: 1000 }),
      async (pieces, size, capacity) => {
        const [writer, reader] = framedPair(capacity);
        const read = readAll(reader, size);
        for (const piece of pieces) await writer.write(piece);
        await writer.closeWrite();
        assertEquals(await read, concatBytes(pieces));
        writer.close();
        reader.close();
      },
    ));
  });

  it("carries more at once than a frame holds", async () => {
    const [writer, reader] = framedPair();
    const bytes = new Uint8Array(600_000).map((_, at) => at % 251);
    const read = readAll(reader, 65536);
    await writer.write(bytes);
    await writer.closeWrite();
    assertEquals(await read, bytes);
  });

  it("takes one read for each frame into a small buffer, and one for many into a large one", async () => {
    for (const [size, expected] of [[4096, 11], [65536, 1]] as const) {
      const [carrier, end] = duplexPair();
      let reads = 0;
      const counting: Duplex = {
        read(into) {
          reads++;
          return end.read(into);
        },
        write: (data) => end.write(data),
        closeWrite: () => end.closeWrite(),
        reset: () => end.reset(),
        close: () => end.close(),
      };
      const writer = new FramedStream(carrier);
      for (let frame = 0; frame < 10; frame++) await writer.write(new Uint8Array(1000));
      await writer.closeWrite();
      assertEquals((await readAll(new FramedStream(counting), size)).length, 10_000);
      assertEquals(reads, expected); // the first length comes alone into a small one
    }
  });

  it("keeps the other direction open once one has ended", async () => {
    const [one, other] = framedPair();
    await one.closeWrite();
    assertEquals(await other.read(new Uint8Array(1)), null);
    await other.write(Uint8Array.of(7));
    const byte = new Uint8Array(1);
    assertEquals([await one.read(byte), byte[0]], [1, 7]);
  });

  it("ends in good order when it is closed", async () => {
    const [one, other] = framedPair();
    await one.write(Uint8Array.of(1, 2));
    one.close();
    assertEquals(await readAll(other, 16), Uint8Array.of(1, 2));
    assertEquals(await one.read(new Uint8Array(1)), null);
  });

  it("has no good end where it is closed while it writes, not even between two frames", async () => {
    for (let moment = 0; moment < 20; moment++) {
      const sizes: number[] = [];
      let closed = false;
      const stream = new FramedStream({
        read: () => Promise.resolve(null),
        write: async ({ length }) => {
          if (closed) throw new Error("closed");
          await Promise.resolve();
          sizes.push(length);
        },
        closeWrite: () => Promise.resolve(),
        reset: () => {},
        close: () => void (closed = true),
      });
      const written = stream.write(new Uint8Array(600_000));
      for (let turn = 0; turn < moment; turn++) await Promise.resolve();
      stream.close();
      await written.catch(() => {}); // it was cut off
      assert([-1, 3].includes(sizes.indexOf(4)), `frames of ${sizes} bytes, closed after ${moment} turns`);
    }
  });

  it("takes a carrier that ends without a word for a reset, between frames and within one", async () => {
    for (const begun of [[], [0, 0, 0, 5, 1, 2]]) {
      const [carrier, end] = duplexPair();
      await carrier.write(Uint8Array.from(begun));
      carrier.close();
      const stream = new FramedStream(end);
      const error = await assertRejects(() => readAll(stream, 16), Error, "reset");
      assertEquals((error as Error & { code?: string }).code, "ECONNRESET");
    }
  });

  it("refuses a frame that is longer than any", async () => {
    const [carrier, end] = duplexPair();
    await carrier.write(Uint8Array.of(255, 255, 255, 255));
    await assertRejects(() => new FramedStream(end).read(new Uint8Array(1)), RangeError, "4294967295 bytes");
  });
});
