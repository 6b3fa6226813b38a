import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { describeMark, parseMatch, parseVersionMark } from "../../src/inbound/mark.ts";

describe("parseMatch", () => {
  it("reads where to look, for what and how", () => {
    assertEquals(parseMatch("header=X-User:alice"), { kind: "header", name: "x-user", how: "equals", value: "alice" });
    assertEquals(parseMatch("cookie=Session:^ab"), { kind: "cookie", name: "Session", how: "prefix", value: "ab" });
    assertEquals(parseMatch("query=tenant:~a|b"), { kind: "query", name: "tenant", how: "regex", value: "a|b" });
    assertEquals(parseMatch("header=when: 10:30"), { kind: "header", name: "when", how: "equals", value: "10:30" });
    assertEquals(parseMatch("path-prefix=/api"), { kind: "path", name: "", how: "prefix", value: "/api" });
    assertEquals(parseMatch("path=/api/x"), { kind: "path", name: "", how: "equals", value: "/api/x" });
    assertEquals(parseMatch("path=~/v[12]/.*"), { kind: "path", name: "", how: "regex", value: "/v[12]/.*" });
  });

  it("quotes what it cannot read", () => {
    const refusals: readonly (readonly [string, string])[] = [
      ["x-user:alice", '"x-user:alice" is no condition'],
      ["header=alice", "lacks a value"],
      ["header=", "lacks a name"],
      ["header=:alice", "lacks a name"],
      ["header=a b:c", '"a b"'],
      ["header=a:", "lacks a value"],
      ["header=a:~(", "Invalid regular expression"],
      ["path-prefix=api", 'begins with "/"'],
    ];
    for (const [text, words] of refusals) {
      assertStringIncludes(assertThrows(() => parseMatch(text), TypeError).message, words);
    }
  });

  it("knows kt-connect's marks", () => {
    assertEquals(parseVersionMark("dev:blue"), { kind: "header", name: "dev", how: "equals", value: "blue" });
    assertEquals(parseVersionMark("blue"), { kind: "header", name: "version", how: "equals", value: "blue" });
    for (const text of ["", " ", ":", "blue:", ":blue"]) {
      assertStringIncludes(assertThrows(() => parseVersionMark(text), TypeError).message, `"${text}" is no mark`);
    }
  });

  it("is told to people in a sentence", () => {
    assertEquals(
      describeMark([parseMatch("header=version:blue"), parseMatch("path-prefix=/api")]),
      'header version is "blue" and path begins with "/api"',
    );
  });
});
