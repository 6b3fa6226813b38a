import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseHostPattern } from "../../src/proxy/host_pattern.ts";

describe("parseHostPattern", () => {
  const table: ReadonlyArray<readonly [pattern: string, host: string, matches: boolean]> = [
    ["db.corp", "db.corp", true],
    ["db.corp", "DB.Corp.", true],
    ["db.corp", "a.db.corp", false],
    ["*.corp", "db.corp", true],
    ["*.corp", "a.db.corp", true],
    ["*.corp", "corp", false],
    ["*.corp", "notcorp", false],
    [".corp", "db.corp", true],
    [".corp", "corp", false],
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "10.1.2.4", false],
    ["10.1.0.0/16", "10.1.255.1", true],
    ["10.1.0.0/16", "10.2.0.1", false],
    ["10.1.0.0/16", "10.1.host", false],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["fd00::/8", "fd12::1", true],
    ["fd00::/8", "fe80::1", false],
    ["fd00::1", "FD00:0::1", true],
    ["*", "anything", true],
    ["*", "10.0.0.1", true],
  ];
  for (const [pattern, host, matches] of table) {
    it(`"${pattern}" ${matches ? "means" : "does not mean"} ${host}`, () => {
      assertEquals(parseHostPattern(pattern)(host), matches);
    });
  }

  it("quotes what is no pattern", () => {
    for (const text of ["", "a b", "http://x", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/8/8", "a.*.b", "db:80"]) {
      assertStringIncludes(assertThrows(() => parseHostPattern(text), TypeError).message, `"${text}"`);
    }
  });
});
