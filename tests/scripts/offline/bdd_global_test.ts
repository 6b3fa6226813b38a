import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";

const ran: string[] = [];

beforeEach(() => void ran.push("before"));
afterEach(() => void ran.push("after"));

describe("a suite below hooks of the file", () => {
  it("runs between them", () => void ran.push("inside"));
});

it("a test below hooks of the file runs between them", () => {
  assertEquals(ran, ["before", "inside", "after", "before"]);
});
