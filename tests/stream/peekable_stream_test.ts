import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { BufferedReader } from "../../src/stream/buffered_reader.ts";
import { bufferedDuplex } from "../../src/stream/buffered_duplex.ts";
import { PeekableStream } from "../../src/stream/peekable_stream.ts";
import { duplexPair } from "./duplex_pair.ts";
import { readAll } from "./scripted_source.ts";

describe("PeekableStream", () => {
  it("tells of bytes, of the end and of a reset before anybody reads, and then gives them", async () => {
    const [near, far] = duplexPair();
    const stream = new PeekableStream(near);
    const peeked = stream.peek();
    assertEquals(stream.peek(), peeked);
    await far.write(new Uint8Array([1, 2, 3]));
    assertEquals(await peeked, true);
    const into = new Uint8Array(2);
    assertEquals([await stream.read(into), ...into], [2, 1, 2]);
    assertEquals(await stream.peek(), true);
    assertEquals([await stream.read(into), into[0]], [1, 3]);
    await far.closeWrite();
    assertEquals(await stream.peek(), false);
    assertEquals(await stream.read(into), null);
    const [other, gone] = duplexPair();
    const broken = new PeekableStream(other);
    gone.reset();
    await assertRejects(() => broken.peek(), Error, "reset");
    await assertRejects(() => broken.read(into), Error, "reset");
  });

  it("gives every byte once, however peeks and reads follow each other", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 3000 }),
        fc.array(fc.nat(700), { minLength: 1 }),
        async (bytes, turns) => {
          const [near, far] = duplexPair();
          const stream = new PeekableStream(near);
          await far.write(bytes);
          await far.closeWrite();
          const got: number[] = [];
          for (const size of turns) {
            if (size % 3 === 0) await stream.peek();
            const into = new Uint8Array(size + 1);
            const count = await stream.read(into);
            if (count !== null) got.push(...into.subarray(0, count));
          }
          got.push(...await readAll(stream));
          assertEquals(got, [...bytes]);
        },
      ),
    );
  });

  it("serves a read that comes while a peek waits", async () => {
    const [near, far] = duplexPair();
    const stream = new PeekableStream(near);
    void stream.peek();
    const into = new Uint8Array(9);
    const reading = stream.read(into);
    await far.write(new Uint8Array([7]));
    assertEquals([await reading, into[0]], [1, 7]);
  });
});

describe("bufferedDuplex", () => {
  it("gives what the reader still holds, then the stream", async () => {
    const [near, far] = duplexPair();
    const reader = new BufferedReader(near);
    await far.write(new Uint8Array([1, 2, 3, 4, 5]));
    await reader.exact(1);
    const stream = bufferedDuplex(near, reader);
    const into = new Uint8Array(3);
    assertEquals([await stream.read(into), ...into], [3, 2, 3, 4]);
    await far.write(new Uint8Array([6]));
    await far.closeWrite();
    assertEquals([...await readAll(stream)], [5, 6]);
    await stream.write(new Uint8Array([9]));
    assertEquals(await far.read(into), 1);
  });

  it("is the stream itself where nothing is left over", () => {
    const [near] = duplexPair();
    assertEquals(bufferedDuplex(near, new BufferedReader(near)) === near, true);
  });
});
