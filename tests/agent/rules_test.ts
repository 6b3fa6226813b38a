import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import type { MatchedRequest } from "../../src/agent/compile_match.ts";
import type { Match, Rule } from "../../src/agent/protocol.ts";
import { Rules } from "../../src/agent/rules.ts";

const alice = { id: "1", name: "alice" }, bob = { id: "2", name: "bob" };
const header = (value: string, how: Match["how"] = "equals", name = "version"): Match => ({
  kind: "header",
  name,
  how,
  value,
});
const path = (value: string, how: Match["how"] = "prefix"): Match => ({ kind: "path", name: "", how, value });
const rule = (id: string, ...match: Match[]): Rule => ({ id, port: 80, match, fallback: "origin" });
const request = (target: string, ...headers: Array<[string, string]>): MatchedRequest => ({ target, headers });

describe("Rules", () => {
  const picked = (rules: Rules, asked: MatchedRequest) => rules.pick(80, asked)?.rule.id;

  it("takes the most specific rule: more conditions, then equals before prefix before regex, longer ones first, exchanges last", () => {
    const rules = new Rules([80]);
    rules.replace(alice, [
      rule("exchange"),
      rule("regex", header("a.*", "regex")),
      rule("prefix", header("a", "prefix")),
      rule("equals", header("abc")),
      rule("both", header("abc"), path("/api")),
      rule("longer", header("abc"), path("/api/orders")),
    ]);
    assertEquals(picked(rules, request("/api/orders/1", ["Version", "abc"])), "longer");
    assertEquals(picked(rules, request("/api/1", ["Version", "abc"])), "both");
    assertEquals(picked(rules, request("/", ["Version", "abc"])), "equals");
    assertEquals(picked(rules, request("/", ["Version", "ab"])), "prefix");
    assertEquals(picked(rules, request("/", ["Version", "b"])), "exchange");
    assertEquals(rules.pick(81, request("/")), undefined);
    assertEquals(rules.exchange(80)?.rule.id, "exchange");
  });

  it("same_mark_refused: names the holder, changes nothing, and knows marks in any order", () => {
    const rules = new Rules([80, 81]);
    assertEquals(rules.replace(alice, [rule("a", header("abc"), path("/api"))]), undefined);
    const refusal = rules.replace(bob, [rule("ok", header("def")), rule("b", path("/api"), header("abc"))]);
    assertEquals(refusal?.holder, "alice");
    assert(refusal?.error.includes('header version="abc"'));
    assertFalse(rules.has(bob.id));
    assertEquals(rules.replace(bob, [{ ...rule("b", path("/api"), header("abc")), port: 81 }]), undefined);
    assertEquals(rules.replace(alice, [rule("a", header("abc"), path("/api"))]), undefined);
  });

  it("refuses a second exchange of a port, but lets marks stand beside one", () => {
    const rules = new Rules([80]);
    rules.replace(alice, [rule("a")]);
    assertEquals(rules.replace(bob, [rule("b")]), { error: "Port 80 is exchanged by alice already", holder: "alice" });
    assertEquals(rules.replace(bob, [rule("b", header("bob"))]), undefined);
    assertEquals(picked(rules, request("/", ["version", "bob"])), "b");
    assertEquals(picked(rules, request("/")), "a");
    rules.replace(alice, []);
    assertEquals(picked(rules, request("/")), undefined);
    assertEquals([rules.of(alice.id), rules.of(bob.id)], [[], [rule("b", header("bob"))]]);
  });

  it("refuses ports that the agent does not have, and regular expressions that could take for ever", () => {
    const rules = new Rules([80]);
    assertEquals(
      rules.replace(alice, [{ ...rule("a"), port: 8080 }])?.error,
      "The agent does not receive traffic on port 8080",
    );
    assert(rules.replace(alice, [rule("a", header("(a+)+", "regex"))])?.error.includes("(a+)+"));
  });

  it("finds marks in cookies, queries and paths", () => {
    const table: ReadonlyArray<readonly [Match, MatchedRequest, boolean]> = [
      [{ kind: "cookie", name: "user", how: "equals", value: "a=b" }, request("/", ["Cookie", "x=1; user=a=b"]), true],
      [{ kind: "cookie", name: "user", how: "equals", value: "1" }, request("/", ["cookie", "User=1"]), false],
      [
        { kind: "cookie", name: "user", how: "equals", value: "1" },
        request("/", ["cookie", "a=b"], ["cookie", "user=1"]),
        true,
      ],
      [{ kind: "query", name: "user", how: "equals", value: "a b@c" }, request("/x?y=1&user=a+b%40c"), true],
      [{ kind: "query", name: "user", how: "equals", value: "a" }, request("/x?user=b&user=a"), true],
      [{ kind: "query", name: "user", how: "equals", value: "a" }, request("/user=a"), false],
      [path("/api/"), request("/api/x?y"), true],
      [path("/api", "equals"), request("/api?x"), true],
      [path("/api", "equals"), request("http://orders/api?x"), true],
      [path("/api/[0-9]+", "regex"), request("/api/12"), true],
      [path("/api/[0-9]+", "regex"), request("/api/12/x"), false],
      [header("a"), request("/", ["VERSION", "b"], ["Version", "a"]), true],
      [header("a"), request("/", ["VERSION", "A"]), false],
    ];
    for (const [match, asked, expected] of table) {
      const rules = new Rules([80]);
      assertEquals(rules.replace(alice, [rule("a", match)]), undefined);
      assertEquals(rules.pick(80, asked) !== undefined, expected, JSON.stringify([match, asked]));
    }
  });

  const anyMatch: fc.Arbitrary<Match> = fc.record({
    kind: fc.constantFrom("header", "cookie", "query", "path"),
    name: fc.constantFrom("a", "b"),
    how: fc.constantFrom("equals", "prefix"),
    value: fc.constantFrom("", "x", "xy", "/x"),
  });
  const anyRules = fc.array(fc.array(anyMatch, { maxLength: 3 }), { maxLength: 5 });
  const anyRequest = fc.record({
    target: fc.constantFrom("/", "/x", "/xy?a=x", "/x?b=xy&a="),
    headers: fc.array(fc.tuple(fc.constantFrom("A", "b", "Cookie"), fc.constantFrom("x", "xy", "", "a=x; b=xy")), {
      maxLength: 3,
    }),
  });

  it("never lets a rule decide that does not hold, nor a less specific one, whatever the order they came in", () => {
    fc.assert(fc.property(anyRules, anyRequest, (all, asked) => {
      const rules = new Rules([80]), reversed = new Rules([80]);
      const given = all.map((match, index) => rule(String(index), ...match));
      rules.replace(alice, given);
      reversed.replace(alice, given.toReversed());
      const holding = given.filter((each) => {
        const alone = new Rules([80]);
        alone.replace(alice, [each]);
        return alone.pick(80, asked) !== undefined;
      });
      const found = rules.pick(80, asked)?.rule;
      assertEquals(found !== undefined, holding.length > 0);
      assertEquals(found?.match.length, reversed.pick(80, asked)?.rule.match.length);
      if (found) assertEquals(found.match.length, Math.max(...holding.map(({ match }) => match.length)));
    }));
  });
});
