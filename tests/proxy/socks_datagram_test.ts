import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { formatIp, parseIp } from "../../src/platform/ip_address.ts";
import { formatSocksDatagram, parseSocksDatagram } from "../../src/proxy/socks_datagram.ts";

describe("SOCKS datagrams", () => {
  it("give back any address, name, port and data", () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => formatIp(parseIp(text)!));
    const host = fc.oneof(address, fc.constantFrom("orders", "kube-dns.kube-system", "a.b."));
    const port = fc.integer({ min: 1, max: 65535 });
    fc.assert(fc.property(host, port, fc.uint8Array({ maxLength: 2000 }), (host, port, data) => {
      const target = { host, port, network: "udp" as const };
      assertEquals(parseSocksDatagram(formatSocksDatagram({ target, data })), { target, data });
    }));
  });

  it("drop fragments, port 0, unknown address types, and what breaks off", () => {
    const good = [0, 0, 0, 1, 10, 0, 0, 1, 0, 53, 7];
    const read = (bytes: readonly number[]) => parseSocksDatagram(Uint8Array.from(bytes));
    assertEquals(read(good)?.data, Uint8Array.of(7));
    assertEquals(read([0, 0, 1, ...good.slice(3)]), undefined);
    assertEquals(read([0, 0, 0, 2, ...good.slice(4)]), undefined);
    assertEquals(read([...good.slice(0, 8), 0, 0]), undefined);
    assertEquals(read([0, 0, 0, 3, 3, 0x61, 0x20, 0x62, 0, 53]), undefined);
    for (let length = 0; length < 10; length++) assertEquals(read(good.slice(0, length)), undefined, `${length} bytes`);
  });

  it("never fail, whatever comes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const read = parseSocksDatagram(bytes);
      if (read) assertEquals(read.target.port > 0 && read.target.host.length > 0, true);
    }));
  });
});
