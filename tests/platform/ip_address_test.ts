import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { formatIp, parseIp } from "../../src/platform/ip_address.ts";

describe("parseIp", () => {
  it("gives the bytes of IPv4 and IPv6 addresses in every spelling", () => {
    assertEquals([...parseIp("10.96.0.1")!], [10, 96, 0, 1]);
    assertEquals([...parseIp("::1")!], [...new Array(15).fill(0), 1]);
    assertEquals([...parseIp("::")!], new Array(16).fill(0));
    assertEquals(formatIp(parseIp("FD00:0:0:1::A")!), "fd00:0:0:1::a");
    assertEquals(formatIp(parseIp("1:2:3:4:5:6:7::")!), "1:2:3:4:5:6:7:0");
    assertEquals([...parseIp("64:ff9b::10.1.2.3")!].slice(12), [10, 1, 2, 3]);
  });

  it("knows what is no address", () => {
    for (const text of ["", "orders", "10.0.0", "10.0.0.256", "010.0.0.1", "[::1]", "fe80::1%eth0", ":::", "1::2::3"]) {
      assertEquals(parseIp(text), undefined, text);
    }
  });
});

describe("formatIp", () => {
  it("follows RFC 5952", () => {
    assertEquals(formatIp(parseIp("2001:db8:0:0:1:0:0:1")!), "2001:db8::1:0:0:1");
    assertEquals(formatIp(parseIp("2001:db8:0:1:1:1:1:1")!), "2001:db8:0:1:1:1:1:1");
    assertEquals(formatIp(parseIp("::ffff:10.1.2.3")!), "10.1.2.3");
  });

  it("gives back what parseIp reads, for any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const text = formatIp(bytes);
      const again = parseIp(text)!;
      assertEquals([...again], [...(again.length === 4 ? bytes.subarray(12) : bytes)]);
    }));
    fc.assert(
      fc.property(
        fc.ipV6(),
        (text) => assertEquals(formatIp(parseIp(formatIp(parseIp(text)!))!), formatIp(parseIp(text)!)),
      ),
    );
  });

  it("refuses other lengths", () => {
    assertThrows(() => formatIp(new Uint8Array(5)), RangeError);
  });
});
