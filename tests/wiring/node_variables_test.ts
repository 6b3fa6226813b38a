import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { nodeVariables } from "../../src/wiring/node_variables.ts";

/** The words of NODE_OPTIONS as Node reads them: `ParseNodeOptionsEnvVar` of its src/node_options.cc. */
function wordsOf(options: string): string[] {
  const words: string[] = [];
  let quoted = false;
  let startsNew = true;
  for (let at = 0; at < options.length; at++) {
    let character = options[at]!;
    if (character === "\\" && quoted) {
      character = options[++at] ?? "";
    } else if (character === " " && !quoted) {
      startsNew = true;
      continue;
    } else if (character === '"') {
      quoted = !quoted;
      continue;
    }
    if (startsNew) words.push("");
    startsNew = false;
    words[words.length - 1] += character;
  }
  return words;
}

describe("nodeVariables", () => {
  it("names the hook and the front door", () => {
    assertEquals(nodeVariables({ port: 1080, file: "/home/u/hook.cjs" }, {}, "linux"), {
      NODE_OPTIONS: '--require "/home/u/hook.cjs"',
      HAWSER_HOOK_PORT: "1080",
    });
  });

  it("keeps the user's options, however Windows spells the variable", () => {
    const file = String.raw`C:\Users\Jane Doe\hook.cjs`;
    const { NODE_OPTIONS } = nodeVariables({ port: 1, file }, { Node_Options: "--enable-source-maps " }, "windows");
    assertEquals(NODE_OPTIONS, String.raw`--enable-source-maps --require "C:\\Users\\Jane Doe\\hook.cjs"`);
  });

  it("gives Node any path as it is, after what it was given before", () => {
    const path = fc.stringMatching(/^\/[ "\\'$%a-zé/]+$/);
    const word = fc.stringMatching(/^--[a-z]+(=("[ a-z\\]{0,3}[a-z]"|[a-z]))?$/);
    fc.assert(fc.property(path, fc.array(word), fc.integer({ min: 1, max: 65535 }), (file, before, port) => {
      const own = before.join(" ");
      const { NODE_OPTIONS } = nodeVariables({ port, file }, { NODE_OPTIONS: own }, "linux");
      assertEquals(wordsOf(NODE_OPTIONS!), [...wordsOf(own), "--require", file]);
    }));
  });
});
