import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { browserAddress } from "../../src/wiring/browser_address.ts";

const href = browserAddress;

describe("browserAddress", () => {
  it("makes whole URLs of what people type", () => {
    assertEquals(href("orders"), "http://orders/");
    assertEquals(href("orders:8080"), "http://orders:8080/");
    assertEquals(href("orders:8080/path?a=1#b"), "http://orders:8080/path?a=1#b");
    assertEquals(href("orders.shared/x"), "http://orders.shared/x");
    assertEquals(href("http://orders"), "http://orders/");
    assertEquals(href("HTTPS://orders:8443/"), "https://orders:8443/");
    assertEquals(href("10.96.0.7:8080"), "http://10.96.0.7:8080/");
    assertEquals(href("[fd00::7]:80/x"), "http://[fd00::7]/x");
  });

  it("takes https for what is at port 443", () => {
    assertEquals(href("orders:443/x"), "https://orders/x");
    assertEquals(href("orders:4430"), "http://orders:4430/");
  });

  it("refuses every scheme that has no business in the cluster", () => {
    for (const text of ["file:///etc/passwd", "javascript:alert(1)", "chrome://settings", "ftp://orders/", "data:,x"]) {
      assertThrows(() => browserAddress(text), TypeError, "http and https addresses alone");
    }
  });

  it("refuses what is no address", () => {
    for (const text of ["http://", "orders:80800", "a b"]) {
      assertThrows(() => browserAddress(text), TypeError, "is no address");
    }
  });
});
