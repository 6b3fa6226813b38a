import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { describeSeen } from "../../src/cli/describe_seen.ts";

const from = { rule: "r", remote: "10.244.0.7" };

describe("describeSeen", () => {
  it("says in one line who asked for what, and what came of it", () => {
    const request = { kind: "request", ...from, method: "GET", path: "/a", status: 200, ms: 12, bytes: 1331 } as const;
    assertEquals(describeSeen(request), "<- 10.244.0.7 GET /a 200, 12 ms, 1.3 KiB");
    const left = { ...request, status: 0, ms: 61_000, bytes: 0 };
    assertEquals(describeSeen(left), "<- 10.244.0.7 GET /a no answer: the client left, 61 s, 0 B");
    assertEquals(describeSeen({ kind: "opened", ...from }), "<- 10.244.0.7 connection opened");
    assertEquals(
      describeSeen({ kind: "closed", ...from, ms: 5, sent: 7, received: 2048 }),
      "<- 10.244.0.7 connection closed after 5 ms, 7 B in, 2.0 KiB out",
    );
  });

  it("lets nothing through that moves a terminal's cursor, nor endless lines, whatever an agent sends", () => {
    const text = fc.string({ unit: "binary", maxLength: 2000 });
    fc.assert(fc.property(text, text, text, (remote, method, path) => {
      const line = describeSeen({ kind: "request", rule: "r", remote, method, path, status: 200, ms: 1, bytes: 1 });
      assertMatch(line, /^[\x20-\x7e]*$/);
      assert(line.length < 600);
    }));
  });
});
