import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseReverseName } from "../../src/dns/reverse_name.ts";

describe("parseReverseName", () => {
  it("reads addresses of both families", () => {
    assertEquals(parseReverseName("7.0.96.10.in-addr.arpa"), "10.96.0.7");
    assertEquals(parseReverseName("7.0.96.10.IN-ADDR.ARPA"), "10.96.0.7");
    const nibbles = "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.F.ip6.arpa";
    assertEquals(parseReverseName(nibbles), "fd00::7");
  });

  it("knows what is no whole address", () => {
    for (
      const name of [
        "0.96.10.in-addr.arpa",
        "1.7.0.96.10.in-addr.arpa",
        "256.0.96.10.in-addr.arpa",
        "07.0.96.10.in-addr.arpa",
        "x.0.96.10.in-addr.arpa",
        "7.0.96.10.in-addr.arpa.dev",
        "d.f.ip6.arpa",
        "in-addr.arpa",
        "",
      ]
    ) {
      assertEquals(parseReverseName(name), undefined, name);
    }
  });
});
