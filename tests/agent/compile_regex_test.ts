import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { compileRegex } from "../../src/agent/compile_regex.ts";

describe("compileRegex", () => {
  it("matches whole values", () => {
    const test = compileRegex("staging|dev-[0-9]+|(?:a|b)c");
    assertEquals(["staging", "dev-12", "bc", "staging2", "xdev-1", ""].map(test), [
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    assert(compileRegex("[*+?({]{2}\\(.*")("+?(x"));
    assertEquals(compileRegex("a*")("a".repeat(513)), false);
  });

  for (
    const pattern of [
      "(a+)+",
      "(a|aa)*",
      "((a*))*",
      "(?:a|b){2,}",
      "(a?){30}",
      "(x)\\1",
      "(?=a)b",
      "(?<n>a)",
      "a*b*c*d*",
      "(",
      "[",
      "a".repeat(257),
    ]
  ) {
    it(`refuses ${pattern.slice(0, 20)}`, () => {
      assertThrows(() => compileRegex(pattern), RangeError);
    });
  }

  it("answers within moments whatever the expression and the value, or refuses", () => {
    const part = fc.constantFrom(
      "a",
      "b",
      ".",
      "[ab]",
      "(",
      "(?:",
      ")",
      "|",
      "*",
      "+",
      "?",
      "{2,}",
      "{1,9}",
      "\\w",
      "\\",
      "]",
      "[",
    );
    const value = fc.constantFrom("a".repeat(512), "ab".repeat(256), "a".repeat(511) + "!");
    fc.assert(fc.property(fc.array(part, { maxLength: 12 }), value, (parts, value) => {
      let test;
      try {
        test = compileRegex(parts.join(""));
      } catch (error) {
        return assert(error instanceof RangeError);
      }
      const start = performance.now();
      test(value);
      assert(performance.now() - start < 2000, parts.join(""));
    }));
  });
});
