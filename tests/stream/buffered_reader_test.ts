import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { BufferedReader, UnexpectedEnd } from "../../src/stream/buffered_reader.ts";
import { readAll, scriptedSource } from "./scripted_source.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array | null) => value && new TextDecoder().decode(value);
const anyCuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });

describe("BufferedReader", () => {
  it("gives the same however the input was split", async () => {
    await fc.assert(fc.asyncProperty(
      fc.uint8Array({ maxLength: 400 }),
      anyCuts,
      fc.array(
        fc.oneof(
          fc.record({ kind: fc.constant("exact" as const), count: fc.integer({ min: 0, max: 90 }) }),
          fc.record({ kind: fc.constant("read" as const), count: fc.integer({ min: 1, max: 90 }) }),
        ),
        { maxLength: 12 },
      ),
      async (input, cuts, steps) => {
        const reader = new BufferedReader(scriptedSource(input, cuts), 64);
        let at = 0;
        for (const { kind, count } of steps) {
          if (kind === "read") {
            const into = new Uint8Array(count);
            const got = await reader.read(into);
            if (got === null) return assertEquals(at, input.length);
            assertEquals(into.subarray(0, got), input.subarray(at, at + got));
            at += got;
          } else if (count > 64) {
            await assertRejects(() => reader.exact(count), RangeError);
          } else if (at + count > input.length) {
            await assertRejects(() => reader.exact(count), UnexpectedEnd);
          } else {
            assertEquals((await reader.exact(count)).slice(), input.slice(at, at + count));
            at += count;
          }
        }
        assertEquals(await readAll(reader), input.subarray(at));
      },
    ));
  });

  it("finds heads and lines however the input was split, and leaves what follows", async () => {
    const head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    await fc.assert(fc.asyncProperty(anyCuts, async (cuts) => {
      const reader = new BufferedReader(scriptedSource(bytes(head + "5\r\nhello\n\nrest"), cuts), 64);
      assertEquals(text(await reader.head()), head);
      assertEquals(text(await reader.line(10)), "5");
      assertEquals(text(await reader.line(10)), "hello");
      assertEquals(text(await reader.line(10)), "");
      assertEquals(text(await readAll(reader)), "rest");
    }));
  });

  it("never holds more than its capacity, and fails with its own errors only", async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(fc.constantFrom(10, 13, 65), { maxLength: 300 }).map((each) => Uint8Array.from(each)),
      anyCuts,
      fc.array(fc.constantFrom("head", "line", "fill"), { maxLength: 30 }),
      async (input, cuts, steps) => {
        const reader = new BufferedReader(scriptedSource(input, cuts), 32);
        for (const step of steps) {
          try {
            if (step === "head") await reader.head();
            else if (step === "line") await reader.line(8);
            else await reader.fill();
          } catch (error) {
            if (!(error instanceof UnexpectedEnd)) assertInstanceOf(error, RangeError);
            return;
          } finally {
            assertEquals(reader.buffered.length <= 32 && reader.buffered.buffer.byteLength <= 32, true);
          }
        }
      },
    ));
  });

  it("takes a head of exactly the limit and refuses one of a byte more", async () => {
    const head = bytes("A".repeat(28) + "\r\n\r\n");
    assertEquals((await new BufferedReader(scriptedSource(head)).head(32))?.length, 32);
    assertEquals((await new BufferedReader(scriptedSource(head), 32).head())?.length, 32);
    await assertRejects(() => new BufferedReader(scriptedSource(head)).head(31), RangeError, "more than 31 bytes");
    await assertRejects(() => new BufferedReader(scriptedSource(head), 31).head(), RangeError);
  });

  it("takes a line of exactly the limit and refuses one of a byte more", async () => {
    for (const end of ["\n", "\r\n"]) {
      const line = bytes("A".repeat(8) + end + "more and more");
      assertEquals((await new BufferedReader(scriptedSource(line)).line(7 + end.length)).length, 8);
      await assertRejects(() => new BufferedReader(scriptedSource(line)).line(6 + end.length), RangeError);
    }
  });

  it("tells an end before the first byte of a head from one within it", async () => {
    assertEquals(await new BufferedReader(scriptedSource(bytes(""))).head(), null);
    await assertRejects(
      () => new BufferedReader(scriptedSource(bytes("GET / HT"))).head(),
      UnexpectedEnd,
      "middle of an HTTP head",
    );
    await assertRejects(() => new BufferedReader(scriptedSource(bytes("abc"))).line(9), UnexpectedEnd, "a line");
    await assertRejects(() => new BufferedReader(scriptedSource(bytes("abc"))).exact(4, "it"), UnexpectedEnd, "of it");
  });

  it("refuses to fill a full buffer and to drop what it does not hold", async () => {
    const reader = new BufferedReader(scriptedSource(bytes("abcdef")), 4);
    while (reader.buffered.length < 4) await reader.fill();
    await assertRejects(() => reader.fill(), RangeError);
    reader.consume(3);
    assertEquals(await reader.fill(), true);
    assertEquals(text(reader.buffered), "def");
    assertThrows(() => reader.consume(4), RangeError);
    assertEquals(await reader.fill(), false);
    assertEquals(text(reader.buffered), "def");
  });
});
