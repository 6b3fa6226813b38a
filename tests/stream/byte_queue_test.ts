import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { concatBytes } from "../../src/stream/concat_bytes.ts";
import { ByteQueue } from "../../src/stream/byte_queue.ts";
import { readAll } from "./scripted_source.ts";

describe("ByteQueue", () => {
  it("gives what was pushed, in order, however it is pushed and read, from memory that is used again", async () => {
    const anyStep = fc.oneof(
      fc.record({ push: fc.uint8Array({ maxLength: 9000 }) }),
      fc.record({ read: fc.integer({ min: 1, max: 12000 }) }),
    );
    await fc.assert(fc.asyncProperty(fc.array(anyStep, { maxLength: 30 }), async (steps) => {
      const queue = new ByteQueue();
      const pushed: Uint8Array[] = [], got: Uint8Array[] = [];
      for (const step of steps) {
        if ("push" in step) {
          const memory = step.push.slice();
          queue.push(memory);
          memory.fill(255);
          pushed.push(step.push);
        } else if (queue.size > 0) {
          const into = new Uint8Array(step.read);
          got.push(into.slice(0, await queue.read(into) ?? 0));
        }
        const left = concatBytes(pushed).length - concatBytes(got).length;
        assertEquals(queue.size, left);
      }
      queue.end();
      got.push(await readAll(queue));
      assertEquals(concatBytes(got), concatBytes(pushed));
    }));
  });

  it("hands bytes to the read that waits and keeps the rest", async () => {
    const queue = new ByteQueue();
    const into = new Uint8Array(2);
    const reading = queue.read(into);
    assertEquals(queue.wanted, true);
    queue.push(Uint8Array.from([1, 2, 3]));
    assertEquals([await reading, queue.wanted, queue.size], [2, false, 1]);
    assertEquals(into, Uint8Array.from([1, 2]));
  });

  it("gives what waits before the end or the error, and takes nothing after", async () => {
    for (const error of [undefined, new Error("broken")]) {
      const queue = new ByteQueue();
      queue.push(Uint8Array.from([1]));
      queue.end(error);
      queue.end(new Error("too late"));
      queue.push(Uint8Array.from([2]));
      assertEquals(await queue.read(new Uint8Array(9)), 1);
      for (let turn = 0; turn < 2; turn++) {
        if (error) assertEquals(await assertRejects(() => queue.read(new Uint8Array(9))), error);
        else assertEquals(await queue.read(new Uint8Array(9)), null);
      }
    }
  });

  it("ends the read that waits", async () => {
    const queue = new ByteQueue();
    const reading = queue.read(new Uint8Array(9));
    queue.end();
    assertEquals(await reading, null);
    const broken = new ByteQueue();
    const failing = broken.read(new Uint8Array(9));
    broken.end(new Error("broken"));
    await assertRejects(() => failing, Error, "broken");
  });

  it("joins single bytes, so that a slow reader gets them by the thousand", async () => {
    const queue = new ByteQueue();
    const one = new Uint8Array(1);
    for (let count = 0; count < 100_000; count++) queue.push(one);
    const into = new Uint8Array(65536);
    let reads = 0;
    for (; queue.size > 0; reads++) await queue.read(into);
    assertEquals(reads, 2);
  });

  it("forgets what was cleared", async () => {
    const queue = new ByteQueue();
    queue.push(Uint8Array.from([1, 2]));
    queue.clear();
    assertEquals(queue.size, 0);
    queue.push(Uint8Array.from([3]));
    const into = new Uint8Array(9);
    assertEquals([await queue.read(into), into[0]], [1, 3]);
  });
});
