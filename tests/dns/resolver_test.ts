import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseResolver } from "../../src/dns/resolver.ts";
import { Failure } from "../../src/platform/failure.ts";

describe("parseResolver", () => {
  it("reads addresses with and without a port", () => {
    assertEquals(parseResolver("10.0.0.53"), { host: "10.0.0.53", port: 53 });
    assertEquals(parseResolver("10.0.0.53:5353"), { host: "10.0.0.53", port: 5353 });
    assertEquals(parseResolver("FD00:0::53"), { host: "fd00::53", port: 53 });
    assertEquals(parseResolver("[fd00::53]:5353"), { host: "fd00::53", port: 5353 });
  });

  it("refuses names, ports out of range and other text, and says what it wants", () => {
    for (
      const text of ["", "dns.example", "10.0.0", "10.0.0.53:0", "10.0.0.53:65536", "[10.0.0.53:53", "fe80::1%eth0"]
    ) {
      assertThrows(() => parseResolver(text), Failure, `"${text}" is no DNS server`);
    }
  });
});
