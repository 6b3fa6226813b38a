import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { patch } from "./patch.ts";
import { StatusError } from "./status_error.ts";

const strategic = "application/strategic-merge-patch+json";
const json = "application/json-patch+json";

describe("patch", () => {
  it("joins lists that have a key, and replaces the others, by strategic merge", () => {
    const pod = { containers: [{ name: "a", image: "1", args: ["x", "y"] }, { name: "b", image: "1" }] };
    const body = { containers: [{ name: "b", image: "2" }, { name: "a", args: ["z"] }, { name: "c" }] };
    assertEquals(patch(pod, strategic, body), {
      containers: [{ name: "a", image: "1", args: ["z"] }, { name: "b", image: "2" }, { name: "c" }],
    });
    assertEquals(patch(pod, strategic, { containers: [{ name: "a", $patch: "delete" }] }), {
      containers: [{ name: "b", image: "1" }],
    });
    assertEquals(patch({ selector: { a: "1", b: "1" } }, strategic, { selector: { c: "1", $patch: "replace" } }), {
      selector: { c: "1" },
    });
  });

  it("replaces all lists by merge patch", () => {
    const merged = patch({ containers: [{ name: "a" }], x: 1 }, "application/merge-patch+json", {
      containers: [],
      x: null,
    });
    assertEquals(merged, { containers: [] });
  });

  it("does what RFC 6902 says", () => {
    const object = { a: { "b/c": [1, 2] }, d: 1 };
    const operations = [
      { op: "test", path: "/a/b~1c/1", value: 2 },
      { op: "add", path: "/a/b~1c/0", value: 0 },
      { op: "add", path: "/a/b~1c/-", value: 3 },
      { op: "remove", path: "/d" },
      { op: "copy", from: "/a/b~1c", path: "/e" },
      { op: "move", from: "/a", path: "/f" },
    ];
    assertEquals(patch(object, json, operations), { e: [0, 1, 2, 3], f: { "b/c": [0, 1, 2, 3] } });
    assertEquals(object, { a: { "b/c": [1, 2] }, d: 1 });
    for (
      const operation of [{ op: "remove", path: "/x" }, { op: "test", path: "/d", value: 2 }, { op: "odd", path: "/d" }]
    ) {
      assertThrows(() => patch(object, json, [operation]), StatusError);
    }
  });
});
