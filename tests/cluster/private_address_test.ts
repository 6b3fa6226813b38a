import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { isPrivateAddress } from "../../src/cluster/private_address.ts";

describe("isPrivateAddress", () => {
  for (
    const address of [
      "10.0.0.1",
      "172.16.0.1",
      "172.31.255.255",
      "192.168.1.1",
      "100.64.0.1",
      "100.127.9.9",
      "fd00::1",
      "fc00::",
    ]
  ) {
    it(`counts ${address} in`, () => assertEquals(isPrivateAddress(address), true));
  }
  for (
    const address of [
      "9.255.255.255",
      "11.0.0.1",
      "172.32.0.1",
      "100.128.0.1",
      "8.8.8.8",
      "127.0.0.1",
      "169.254.1.1",
      "fe80::1",
      "2001:db8::1",
    ]
  ) {
    it(`counts ${address} out`, () => assertEquals(isPrivateAddress(address), false));
  }
});
