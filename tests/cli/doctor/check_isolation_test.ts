import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { checkIsolation } from "../../../src/cli/doctor/check_isolation.ts";

describe("checkIsolation", () => {
  it("says why programs cannot have a network of their own", async () => {
    assertEquals(await checkIsolation({ os: "darwin", env: {} }), {
      subject: "isolation",
      state: "warn",
      what: "run --isolate net cannot be used: it takes namespaces, which only Linux has",
      next: "",
    });
  });
});
