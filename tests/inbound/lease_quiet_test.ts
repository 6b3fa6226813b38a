import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { leaseQuiet } from "../../src/inbound/lease_quiet.ts";

const date = Date.parse("2026-05-01T12:00:30Z");

function quiet(...times: readonly (string | undefined)[]): number | undefined {
  return leaseQuiet({ metadata: { name: "l", managedFields: times.map((time) => ({ time })) } }, date);
}

describe("leaseQuiet", () => {
  it("counts from the newest write", () => {
    assertEquals(quiet("2026-05-01T12:00:10Z", undefined, "2026-05-01T11:00:00Z"), 20_000);
  });

  it("forgives clocks of API servers that differ a little, and believes none that differ much", () => {
    assertEquals([quiet("2026-05-01T12:00:31Z"), quiet("2026-05-01T12:00:33Z")], [0, undefined]);
  });

  it("says nothing where the server does not", () => {
    assertEquals([quiet(), quiet("soon"), leaseQuiet({ metadata: { name: "l" } }, date)], [
      undefined,
      undefined,
      undefined,
    ]);
  });
});
