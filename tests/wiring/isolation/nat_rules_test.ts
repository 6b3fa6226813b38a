import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { natRules, type NatTool } from "../../../src/wiring/isolation/nat_rules.ts";

const rules = {
  catchPort: 40000,
  host: [
    { address: "127.0.0.1", port: 3306 },
    { address: "0.0.0.0", port: 5432 },
    { address: "::", port: 5432 },
    { address: "::1", port: 6379 },
    { address: "127.77.0.1", port: 80 },
  ],
  own: [{ address: "10.0.0.7", port: 9000 }, { address: "fd00::7", port: 9001 }],
};

describe("natRules", () => {
  it("writes what iptables-restore reads, exceptions first", () => {
    assertEquals(natRules("iptables", 4, rules).split("\n"), [
      "*nat",
      "-A OUTPUT -p udp --dport 53 -j REDIRECT --to-ports 53",
      "-A OUTPUT -p tcp --dport 53 -j REDIRECT --to-ports 53",
      "-A OUTPUT -p tcp -d 127.0.0.1 --dport 3306 -j REDIRECT --to-ports 40000",
      "-A OUTPUT -p tcp -d 127.0.0.0/8 --dport 5432 -j REDIRECT --to-ports 40000",
      "-A OUTPUT -p tcp -d 127.77.0.1 --dport 80 -j REDIRECT --to-ports 40000",
      "-A OUTPUT -d 127.0.0.0/8 -j ACCEPT",
      "-A OUTPUT -d 192.0.2.1 -j ACCEPT",
      "-A OUTPUT -p tcp -d 10.0.0.7 --dport 9000 -j ACCEPT",
      "-A OUTPUT -p tcp -j REDIRECT --to-ports 40000",
      "COMMIT",
      "",
    ]);
  });

  it("writes the same for nft, in place of what was there", () => {
    assertEquals(natRules("nft", 6, rules).split("\n"), [
      "add table ip6 hawser",
      "delete table ip6 hawser",
      "table ip6 hawser {",
      "chain output {",
      "type nat hook output priority -100; policy accept;",
      "udp dport 53 redirect to :53",
      "tcp dport 53 redirect to :53",
      "ip6 daddr ::1/128 tcp dport 5432 redirect to :40000",
      "ip6 daddr ::1 tcp dport 6379 redirect to :40000",
      "ip6 daddr ::1/128 accept",
      "ip6 daddr fd00::7 tcp dport 9001 accept",
      "meta l4proto tcp redirect to :40000",
      "}",
      "}",
      "",
    ]);
  });

  it("keeps the addresses of one family out of the rules of the other", () => {
    for (const tool of ["iptables", "nft"] satisfies NatTool[]) {
      assert(natRules(tool, 6, rules).includes("fd00::7"), tool);
      assertFalse(natRules(tool, 6, rules).includes("10.0.0.7"), tool);
      assertFalse(natRules(tool, 4, rules).includes("fd00::7"), tool);
    }
  });
});
