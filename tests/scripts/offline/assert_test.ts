import {
  assert,
  assertEquals,
  assertExists,
  assertFalse,
  assertInstanceOf,
  AssertionError,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";

/** Runs an assertion that must fail and answers its message; without any assertion, so that none judges itself. */
function failure(assertion: () => void): string {
  try {
    assertion();
  } catch (error) {
    if (error instanceof AssertionError) return error.message;
    throw error;
  }
  throw new Error("The assertion passed, and must not");
}

async function laterFailure(assertion: () => Promise<unknown>): Promise<string> {
  try {
    await assertion();
  } catch (error) {
    if (error instanceof AssertionError) return error.message;
    throw error;
  }
  throw new Error("The assertion passed, and must not");
}

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`Not so: ${what}`);
}

describe("assertions", () => {
  it("assert and assertFalse judge truthiness", () => {
    assert("a");
    assertFalse("");
    must(failure(() => assert(0, "why")).includes("why"), "the message is kept");
    failure(() => assertFalse(1));
  });

  it("assertEquals compares shapes, types and contents", () => {
    assertEquals({ a: [1, new Map([["k", new Set([1])]])], u: new Uint8Array([1]) }, {
      a: [1, new Map([["k", new Set([1])]])],
      u: new Uint8Array([1]),
    });
    assertEquals(NaN, NaN);
    const unequal: [unknown, unknown][] = [
      [1, "1"],
      [{ a: 1 }, { a: 1, b: 2 }],
      [{ a: 1 }, { a: 1, b: undefined }],
      [[1, 2], [2, 1]],
      [new Uint8Array([1]), new Uint8Array([2])],
      [new Uint8Array([1]), [1]],
      [new Date(1), new Date(2)],
      [null, undefined],
      [new Error("a"), new Error("b")],
    ];
    for (const [a, b] of unequal) {
      failure(() => assertEquals(a, b));
      assertNotEquals(a, b);
    }
    failure(() => assertNotEquals({ a: 1 }, { a: 1 }));
  });

  it("assertEquals shows what differs", () => {
    const message = failure(() => assertEquals({ same: 1, differs: "here" }, { same: 1, differs: "there" }, "why"));
    for (const part of ["why", '"here"', '"there"']) {
      must(message.replaceAll("'", '"').includes(part), `${part} is in the message`);
    }
  });

  it("assertStrictEquals wants the same object", () => {
    const object = {};
    assertStrictEquals(object, object);
    failure(() => assertStrictEquals({}, {}));
  });

  it("assertStringIncludes and assertMatch search", () => {
    assertStringIncludes("a needle", "need");
    failure(() => assertStringIncludes("hay", "need"));
    assertMatch("a needle", /n.+e$/);
    failure(() => assertMatch("hay", /n.+e$/));
  });

  it("assertInstanceOf and assertExists narrow the type", () => {
    const value: unknown = new TypeError("no");
    assertInstanceOf(value, TypeError);
    must(value.message === "no", "it is a TypeError now");
    failure(() => assertInstanceOf(value, RangeError));
    const maybe: string | undefined = ["a"].at(0);
    assertExists(maybe);
    must(maybe.length === 1, "it is a string now");
    failure(() => assertExists(undefined));
    failure(() => assertExists(null));
  });

  it("assertThrows wants an error of the class, with the words", () => {
    const thrown = assertThrows(
      () => {
        throw new TypeError("not so");
      },
      TypeError,
      "so",
    );
    must(thrown.message === "not so", "it answers the error");
    const throwsIt = () => {
      throw thrown;
    };
    must(assertThrows(throwsIt) === thrown, "it answers any error");
    failure(() => assertThrows(throwsIt, RangeError));
    failure(() => assertThrows(throwsIt, TypeError, "other"));
    failure(() => assertThrows(() => {}));
    failure(() => assertThrows(() => {}, TypeError));
  });

  it("assertRejects wants a rejection, not an error thrown at once", async () => {
    const error = await assertRejects(() => Promise.reject(new TypeError("not so")), TypeError, "so");
    must(error.message === "not so", "it answers the error");
    await laterFailure(() => assertRejects(() => Promise.reject(error), RangeError));
    await laterFailure(() => assertRejects(() => Promise.reject(error), TypeError, "other"));
    await laterFailure(() => assertRejects(() => Promise.resolve()));
    await laterFailure(() =>
      assertRejects(() => {
        throw error;
      })
    );
  });

  it("fail fails", () => {
    must(failure(() => fail("why")).includes("why"), "the message is kept");
  });
});
