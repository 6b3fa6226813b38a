import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { nearest } from "../../src/platform/nearest.ts";

describe("nearest", () => {
  const words = ["connect", "disconnect", "config", "completion", "forward"];

  it("finds the word behind a mistake of each kind", () => {
    assertEquals(nearest("conect", words), "connect"); // a letter too few
    assertEquals(nearest("connnect", words), "connect"); // too many
    assertEquals(nearest("cormect", words), "connect"); // others
    assertEquals(nearest("cnofig", words), "config"); // exchanged
  });

  it("finds the word that was begun", () => assertEquals(nearest("comp", words), "completion"));

  it("disregards case", () => assertEquals(nearest("CONFIG", words), "config"));

  it("finds nothing where nothing is near", () => {
    assertEquals(nearest("exchange", words), undefined);
    assertEquals(nearest("", words), undefined);
  });

  it("always finds a word that is there", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }), fc.nat(), (list, at) => {
        const word = list[at % list.length]!;
        const found = nearest(word, list)!;
        return found === word || found.startsWith(word);
      }),
    );
  });
});
