import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { MadeUpAddresses } from "../../src/wiring/made_up_addresses.ts";

describe("MadeUpAddresses", () => {
  it("gives each name one address of 198.18.0.0/15, and knows the name by it", () => {
    const addresses = new MadeUpAddresses();
    const given = Array.from({ length: 5_000 }, (_, at) => addresses.addressOf(`orders-${at}.dev`));
    assertEquals(new Set(given).size, given.length);
    for (const [at, address] of given.entries()) {
      assertMatch(address, /^198\.1[89]\.\d+\.\d+$/);
      assertEquals(addresses.nameOf(address), `orders-${at}.dev`);
    }
  });

  it("takes case and a trailing dot for the same name", () => {
    const addresses = new MadeUpAddresses();
    assertEquals(addresses.addressOf("Orders.Dev."), addresses.addressOf("orders.dev"));
    assertNotEquals(addresses.addressOf("orders.dev"), addresses.addressOf("orders"));
  });

  it("gives a name the same address in the next session", () => {
    assertEquals(new MadeUpAddresses().addressOf("orders"), new MadeUpAddresses().addressOf("orders"));
  });

  it("knows nobody by an address it has not given", () => {
    assertEquals(new MadeUpAddresses().nameOf("198.18.0.1"), undefined);
  });
});
