import { assertEquals, assertFalse, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { parseProxyUrl, ProxySettings } from "../../src/platform/proxy_settings.ts";

describe("parseProxyUrl", () => {
  it("reads protocol, host, port, user and password", () => {
    assertEquals(parseProxyUrl("http://jane:p%40ss@proxy.corp:3128/", "HTTP_PROXY"), {
      protocol: "http",
      host: "proxy.corp",
      port: 3128,
      username: "jane",
      password: "p@ss",
      source: "HTTP_PROXY",
    });
  });

  it("takes a missing scheme for http and fills in each scheme's port", () => {
    const short = (text: string) => {
      const { protocol, host, port } = parseProxyUrl(text, "X");
      return `${protocol} ${host} ${port}`;
    };
    assertEquals(short("proxy:3128"), "http proxy 3128");
    assertEquals(short("10.0.0.1"), "http 10.0.0.1 80");
    assertEquals(short("HTTPS://proxy"), "https proxy 443");
    assertEquals(short("socks5h://proxy"), "socks5 proxy 1080");
    assertEquals(short("socks5://[fd00::1]:9050"), "socks5 fd00::1 9050");
    assertEquals(short("socks4a://proxy"), "socks4 proxy 1080");
    assertEquals(short("socks://127.0.0.1:1080/"), "socks5 127.0.0.1 1080");
    assertEquals(short("proxy:80"), "http proxy 80");
  });

  it("keeps a password with a bare percent sign as it is", () => {
    assertEquals(parseProxyUrl("http://jane:100%@proxy:1", "X").password, "100%");
  });

  it("names the variable and never its value when that is no proxy URL", () => {
    for (
      const text of [
        "ftp://jane:secret@proxy",
        "http://jane:secret@:80:80",
        "socks5://",
        "http://jane:secret@proxy:99999",
      ]
    ) {
      const { message } = assertThrows(() => parseProxyUrl(text, "ALL_PROXY"), TypeError);
      assertStringIncludes(message, "ALL_PROXY");
      assertFalse(message.includes("secret"), message);
    }
  });
});

describe("ProxySettings", () => {
  const via = (env: Record<string, string>, scheme: "http" | "https" | "tcp", host: string, port: number) =>
    new ProxySettings(env).proxyFor(scheme, host, port)?.source;

  it("chooses by scheme, and for plain TCP by the well-known ports", () => {
    const env = { HTTP_PROXY: "http://a:1", HTTPS_PROXY: "http://b:2" };
    assertEquals(via(env, "http", "x.org", 8080), "HTTP_PROXY");
    assertEquals(via(env, "https", "x.org", 8443), "HTTPS_PROXY");
    assertEquals(via(env, "tcp", "x.org", 443), "HTTPS_PROXY");
    assertEquals(via(env, "tcp", "x.org", 80), "HTTP_PROXY");
    assertEquals(via(env, "tcp", "x.org", 5432), undefined);
    assertEquals(via({ HTTP_PROXY: "http://a:1" }, "https", "x.org", 443), undefined);
  });

  it("lets ALL_PROXY stand in where the nearer variable is missing", () => {
    const env = { ALL_PROXY: "socks5h://s:1080", HTTPS_PROXY: "http://b:2" };
    assertEquals(via(env, "tcp", "x.org", 5432), "ALL_PROXY");
    assertEquals(via(env, "http", "x.org", 80), "ALL_PROXY");
    assertEquals(via(env, "https", "x.org", 443), "HTTPS_PROXY");
  });

  it("prefers upper case, takes lower case, and treats an empty value as none", () => {
    const settings = (env: Record<string, string>) => new ProxySettings(env).proxyFor("http", "x.org", 80)?.host;
    assertEquals(settings({ HTTP_PROXY: "http://upper:1", http_proxy: "http://lower:1" }), "upper");
    assertEquals(settings({ HTTP_PROXY: "", http_proxy: "http://lower:1" }), "lower");
    assertEquals(settings({ HTTP_PROXY: " " }), undefined);
  });

  it("never sends loopback through a proxy", () => {
    for (const host of ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.8.9.1", "::1"]) {
      assertEquals(via({ ALL_PROXY: "http://p:1" }, "tcp", host, 80), undefined, host);
    }
  });

  it("complains about a bad variable only when it would apply", () => {
    const settings = new ProxySettings({ HTTP_PROXY: "gopher://x", NO_PROXY: "ok.org" });
    assertEquals(settings.proxyFor("https", "x.org", 443), undefined);
    assertEquals(settings.proxyFor("http", "ok.org", 80), undefined);
    assertThrows(() => settings.proxyFor("http", "x.org", 80), TypeError, "HTTP_PROXY");
  });

  // The table is Go's, seen with net/http.ProxyFromEnvironment, but for the trailing dot: there Go would use the proxy.
  const table: ReadonlyArray<readonly [noProxy: string, host: string, port: number, direct: boolean]> = [
    ["x.int", "x.int", 80, true],
    ["x.int", "sub.x.int", 80, true],
    ["x.int", "notx.int", 80, false],
    ["X.Int", "x.int", 80, true],
    ["x.int", "X.INT.", 80, true],
    [".x.int", "x.int", 80, false],
    [".x.int", "sub.x.int", 80, true],
    ["*.x.int", "x.int", 80, false],
    ["*.x.int", "sub.x.int", 80, true],
    ["x.int:8080", "x.int", 8080, true],
    ["x.int:8080", "x.int", 80, false],
    [".x.int:8080", "a.x.int", 80, false],
    ["10.0.0.0/8", "10.42.0.7", 80, true],
    ["10.0.0.0/8", "11.0.0.1", 80, false],
    ["10.0.0.0/8", "name.int", 80, false],
    ["fd00::/8", "fd12::1", 80, true],
    ["fd00::/8", "10.0.0.1", 80, false],
    ["10.", "10.42.0.7", 80, false],
    ["10.1.2.3", "10.1.2.3", 80, true],
    ["10.1.2.3:443", "10.1.2.3", 80, false],
    ["10.1.2.3:443", "10.1.2.3", 443, true],
    ["fd00::1", "fd00:0::1", 80, true],
    ["[fd00::1]:443", "fd00::1", 443, true],
    ["[fd00::1]:443", "fd00::1", 80, false],
    ["a.int, b.int ,c.int", "b.int", 80, true],
    ["a.int b.int", "b.int", 80, false],
    ["*", "anything.org", 80, true],
    [":8080", "x.int", 8080, false],
    ["10.0.0.0/99", "10.0.0.1", 80, false],
    ["", "x.int", 80, false],
  ];
  for (const [noProxy, host, port, direct] of table) {
    it(`NO_PROXY="${noProxy}" ${direct ? "excludes" : "keeps"} ${host}:${port}`, () => {
      assertEquals(via({ ALL_PROXY: "http://p:1", NO_PROXY: noProxy }, "tcp", host, port) === undefined, direct);
    });
  }

  it("takes any text as NO_PROXY without throwing", () => {
    fc.assert(fc.property(fc.string(), fc.domain(), (noProxy, host) => {
      new ProxySettings({ ALL_PROXY: "http://p:1", NO_PROXY: noProxy }).proxyFor("tcp", host, 80);
    }));
  });
});
