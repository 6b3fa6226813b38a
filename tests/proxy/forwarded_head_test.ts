import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { parseProxyUrl } from "../../src/platform/proxy_settings.ts";
import { forwardedRequestHead, parseAbsoluteTarget } from "../../src/proxy/forwarded_head.ts";
import type { Framing } from "../../src/stream/http_body.ts";
import type { HeaderList } from "../../src/stream/http_head.ts";

describe("parseAbsoluteTarget", () => {
  it("reads host, port and path", () => {
    const table: ReadonlyArray<readonly [string, string | undefined]> = [
      ["http://orders/a/b?c=d", "orders 80 orders /a/b?c=d"],
      ["http://orders", "orders 80 orders /"],
      ["http://orders?c", "orders 80 orders /?c"],
      ["HTTP://Orders:8080/", "Orders 8080 Orders:8080 /"],
      ["ws://orders/socket", "orders 80 orders /socket"],
      ["http://[fd00::1]:8080/x", "fd00::1 8080 [fd00::1]:8080 /x"],
      ["http://jane:pw@orders/x", "orders 80 orders /x"],
      ["http://orders/x#y", "orders 80 orders /x"],
      ["http://orders/http://x/", "orders 80 orders /http://x/"],
      ["https://orders/", undefined],
      ["http:///x", undefined],
      ["http://orders:0/", undefined],
      ["http://orders:65536/", undefined],
      ["http://or ders/", undefined],
      ["http://a@b@c/", undefined],
      ["http://orders/a\rb", undefined],
      ["http://orders/a\0b", undefined],
      ["ftp://orders/", undefined],
      ["orders:80", undefined],
      ["", undefined],
    ];
    for (const [text, expected] of table) {
      const target = parseAbsoluteTarget(text);
      assertEquals(target && [target.host, target.port, target.authority, target.path].join(" "), expected, text);
    }
  });

  it("takes any text without throwing, and never lets a space or a line end out of it", () => {
    fc.assert(fc.property(fc.string(), (rest) => {
      const target = parseAbsoluteTarget(`http://${rest}`);
      if (target) assertEquals(/[\s@]/.test(target.authority), false);
    }));
  });
});

describe("forwardedRequestHead", () => {
  const target = parseAbsoluteTarget("http://orders:8080/x?y")!;
  const forward = (headers: HeaderList, framing: Framing = { kind: "none" }, proxy?: string) =>
    forwardedRequestHead(
      { method: "GET", target: "http://orders:8080/x?y", minor: 0, headers },
      target,
      framing,
      proxy ? parseProxyUrl(proxy, "X") : undefined,
    );

  it("asks in origin form, with the Host of the URL, in HTTP/1.1", () => {
    assertEquals(forward([["host", "other"], ["Accept", "*/*"]]), {
      method: "GET",
      target: "/x?y",
      minor: 1,
      headers: [["Host", "orders:8080"], ["Accept", "*/*"]],
    });
  });

  it("drops what concerned the connection to us only, and what Connection names", () => {
    const { headers } = forward([
      ["Proxy-Connection", "keep-alive"],
      ["Proxy-Authorization", "Basic x"],
      ["Keep-Alive", "timeout=5"],
      ["TE", "gzip"],
      ["Connection", "close, X-Private"],
      ["X-Private", "1"],
      ["x-kept", "2"],
      ["Cookie", "a"],
      ["Cookie", "b"],
    ]);
    assertEquals(headers, [["Host", "orders:8080"], ["x-kept", "2"], ["Cookie", "a"], ["Cookie", "b"]]);
  });

  it("does not let Connection take away what gives the message its meaning", () => {
    const { headers } = forward(
      [["Connection", "Content-Length, Host, Cookie, Authorization"], ["Content-Length", "5"], ["Authorization", "x"]],
      { kind: "length", length: 5 },
    );
    assertEquals(headers, [["Host", "orders:8080"], ["Authorization", "x"], ["Content-Length", "5"]]);
  });

  it("announces the body in one way", () => {
    assertEquals(forward([["Transfer-Encoding", "chunked"]], { kind: "chunked" }).headers[1], [
      "Transfer-Encoding",
      "chunked",
    ]);
    const twice: HeaderList = [["Content-Length", "5"], ["content-length", "5"]];
    assertEquals(forward(twice, { kind: "length", length: 5 }).headers.slice(1), [["Content-Length", "5"]]);
    assertEquals(forward([["Content-Length", "0"]]).headers.slice(1), [["Content-Length", "0"]]);
  });

  it("passes an upgrade on, but not to h2c, whose settings end here", () => {
    assertEquals(forward([["Upgrade", "websocket"], ["Connection", "keep-alive, Upgrade"]]).headers.slice(1), [
      ["Connection", "Upgrade"],
      ["Upgrade", "websocket"],
    ]);
    const h2c: HeaderList = [["Upgrade", "h2c"], ["Connection", "Upgrade, HTTP2-Settings"], ["HTTP2-Settings", "x"]];
    assertEquals(forward(h2c).headers.slice(1), []);
    assertEquals(forward([["Upgrade", "websocket"]]).headers.slice(1), []);
  });

  it("asks a proxy of the user's own in absolute form, with its password", () => {
    const head = forward([], { kind: "none" }, "http://jane:pw@proxy:3128");
    assertEquals(head.target, "http://orders:8080/x?y");
    assertEquals(head.headers, [["Host", "orders:8080"], ["Proxy-Authorization", `Basic ${btoa("jane:pw")}`]]);
  });
});
