import { assertEquals } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";

/** What ran, in its order. */
const ran: string[] = [];

describe("outer suite", () => {
  beforeAll(() => void ran.push("outer beforeAll"));
  beforeEach(() => void ran.push("outer beforeEach"));
  afterEach(() => void ran.push("outer afterEach"));
  afterAll(() => void ran.push("outer afterAll"));

  it("runs its first test", async () => {
    await Promise.resolve();
    ran.push("first");
  });

  describe("inner suite", () => {
    beforeAll(async () => {
      await Promise.resolve();
      ran.push("inner beforeAll");
    });
    beforeEach(() => void ran.push("inner beforeEach"));
    afterEach(() => void ran.push("inner afterEach"));
    afterAll(() => void ran.push("inner afterAll"));

    it("runs its test", () => void ran.push("second"));
  });

  it("runs its last test", () => void ran.push("third"));
});

it("a test outside of a suite runs after the suites before it, whose hooks ran in order", () => {
  assertEquals(ran, [
    "outer beforeAll",
    "outer beforeEach",
    "first",
    "outer afterEach",
    "inner beforeAll",
    "outer beforeEach",
    "inner beforeEach",
    "second",
    "inner afterEach",
    "outer afterEach",
    "inner afterAll",
    "outer beforeEach",
    "third",
    "outer afterEach",
    "outer afterAll",
  ]);
});
