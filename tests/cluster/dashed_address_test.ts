import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatDashedAddress, parseDashedAddress } from "../../src/cluster/dashed_address.ts";
import { formatIp, parseIp } from "../../src/platform/ip_address.ts";

describe("dashed addresses", () => {
  it("are read in both families", () => {
    assertEquals(parseDashedAddress("10-1-2-3"), "10.1.2.3");
    assertEquals(parseDashedAddress("fd00--7"), "fd00::7");
    assertEquals(parseDashedAddress("fd00--"), "fd00::");
    assertEquals(parseDashedAddress("fd00--0"), "fd00::");
  });

  it("are told from other labels", () => {
    for (
      const label of ["web-0", "10-1-2", "10-1-2-3-4", "10-1-2-256", "010-1-2-3", "", "-", "1-2-3-4-5-6-7", "fd00"]
    ) {
      assertEquals(parseDashedAddress(label), undefined, label);
    }
  });

  it("are valid labels that read back as the same address", () => {
    fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const bytes = parseIp(text);
      fc.pre(bytes !== undefined);
      const address = formatIp(bytes);
      const label = formatDashedAddress(address);
      assert(/^[a-z0-9][a-z0-9-]*[a-z0-9]$/.test(label), label);
      assertEquals(parseDashedAddress(label), address);
    }));
  });
});
