import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { plainHttpAddress } from "../../src/wiring/plain_http_address.ts";

describe("plainHttpAddress", () => {
  it("gives services in namespaces that are https-only domains their longer name", () => {
    assertEquals(plainHttpAddress("http://orders.dev:8080/x", "dev"), {
      href: "http://orders.dev.svc:8080/x",
      because: "browsers ask for everything in .dev by https",
    });
  });

  it("gives services that are called like https-only domains their longer name", () => {
    assertEquals(plainHttpAddress("http://search:8080/x", "shop"), {
      href: "http://search.shop.svc:8080/x",
      because: "browsers ask for search by https",
    });
  });

  it("leaves all others as they are", () => {
    for (
      const kept of [
        "http://orders/",
        "https://orders.dev/",
        "https://search/",
        "http://orders.dev.svc/",
        "http://search.prod/",
        "http://10.96.0.7/",
        "http://[fd00::7]/",
      ]
    ) {
      assertEquals(plainHttpAddress(kept, "dev"), { href: kept, because: undefined });
    }
  });
});
