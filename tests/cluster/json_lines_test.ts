import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { JsonLines } from "../../src/cluster/json_lines.ts";

/** Gives bytes in pieces of the sizes given, the last size again and again. */
function source(bytes: Uint8Array, sizes: readonly number[] = [Infinity]) {
  let at = 0;
  let turn = 0;
  return {
    read(into: Uint8Array): Promise<number | null> {
      if (at === bytes.length) return Promise.resolve(null);
      const count = Math.min(into.length, sizes[Math.min(turn++, sizes.length - 1)]!, bytes.length - at);
      into.set(bytes.subarray(at, at + count));
      at += count;
      return Promise.resolve(count);
    },
  };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function all(lines: JsonLines): Promise<unknown[]> {
  const found: unknown[] = [];
  for (let value; (value = await lines.next<unknown>()) !== null;) found.push(value);
  return found;
}

describe("JsonLines", () => {
  it("finds the same values however the bytes arrive", async () => {
    const values = fc.array(fc.jsonValue().filter((value) => value !== null), { maxLength: 8 });
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
    await fc.assert(fc.asyncProperty(values, sizes, async (values, sizes) => {
      const text = values.map((value) => JSON.stringify(value) + "\n").join("");
      const found = await all(new JsonLines(source(encode(text), sizes), 1024 * 1024));
      assertEquals(found, JSON.parse(JSON.stringify(values)));
    }));
  });

  it("takes lines longer than its first buffer, and passes over empty ones", async () => {
    const long = "x".repeat(100_000);
    const text = `"${long}"\r\n\n"${long}!"\n`;
    assertEquals(await all(new JsonLines(source(encode(text), [7000]), 200_000)), [long, `${long}!`]);
  });

  it("drops a last line that was cut off", async () => {
    assertEquals(await all(new JsonLines(source(encode('{"a":1}\n{"b":2}')), 1024)), [{ a: 1 }]);
  });

  it("refuses a line without end", async () => {
    const lines = new JsonLines({ read: (into) => Promise.resolve(into.fill(32).length) }, 100_000);
    await assertRejects(() => lines.next(), RangeError, "longer than 100000 bytes");
  });

  it("throws for what is not JSON", async () => {
    await assertRejects(() => new JsonLines(source(encode("<html>\n")), 1024).next(), SyntaxError);
  });
});
