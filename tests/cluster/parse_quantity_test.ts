import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseQuantity } from "../../src/cluster/parse_quantity.ts";

describe("parseQuantity", () => {
  it("reads what Kubernetes takes", () => {
    const read = ["1", "1500m", "2Ki", "1e3", "1E", ".5", "1.", "100M", "0"].map(parseQuantity);
    assertEquals(read, [1, 1.5, 2048, 1000, 1e18, 0.5, 1, 1e8, 0]);
  });

  it("takes nothing else for a quantity", () => {
    assertEquals(["", "m", "1 Ki", "1KiB", "x", "1ki"].map(parseQuantity), Array(6).fill(undefined));
  });
});
