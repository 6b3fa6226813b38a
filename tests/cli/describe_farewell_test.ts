import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { describeFarewell } from "../../src/cli/describe_farewell.ts";

describe("describeFarewell", () => {
  const exchange = { kind: "exchange", service: "orders" } as const;

  it("claims that a service is what it was only where it is", () => {
    const farewell = { restored: true, others: [] };
    assertEquals(describeFarewell(farewell, exchange), 'Service "orders" is what it was, and nothing is left.');
    assertEquals(
      describeFarewell({ ...farewell, theirs: "deleted" }, exchange),
      'Service "orders" was deleted by somebody; of hawser\'s nothing is left.',
    );
    assertEquals(
      describeFarewell({ ...farewell, theirs: "selector" }, exchange),
      'Service "orders" is left with the selector that somebody has set meanwhile; of hawser\'s nothing is left.',
    );
  });
});
