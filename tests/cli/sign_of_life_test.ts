import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { signOfLife } from "../../src/cli/sign_of_life.ts";

describe("signOfLife", () => {
  it("calls nobody live who has missed a renewal, and nobody gone who may renew in time still", () => {
    assertEquals(signOfLife(14_999), { live: true, gone: false, text: "live" });
    assertEquals(signOfLife(15_000), { live: false, gone: false, text: "quiet for 15 s" });
    assertEquals(signOfLife(42_000), { live: false, gone: false, text: "quiet for 42 s" });
    assertEquals(signOfLife(43_000), { live: false, gone: true, text: "gone, silent for 43 s" });
  });

  it("takes those for gone of whom nothing is known", () => {
    assertEquals(signOfLife(Infinity), { live: false, gone: true, text: "gone" });
  });
});
