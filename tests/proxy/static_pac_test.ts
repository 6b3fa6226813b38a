import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { staticPac } from "../../src/proxy/static_pac.ts";

/** The decision of a program that runs the script; the two functions of PAC files as browsers have them. */
function decide(script: string, url: string): string {
  const find = new Function("isPlainHostName", "shExpMatch", `${script}; return FindProxyForURL;`)(
    (host: string) => !host.includes("."),
    (text: string, pattern: string) =>
      new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`).test(text),
  );
  return find(url, new URL(url).hostname);
}

describe("staticPac", () => {
  it("sends everything through one proxy", () => {
    for (const server of ["corp:3128", "http://corp:3128", "http://corp:3128/"]) {
      const script = staticPac(server, "");
      assertEquals(decide(script, "http://example.com/"), "PROXY corp:3128");
      assertEquals(decide(script, "https://example.com/"), "PROXY corp:3128");
    }
  });

  it("knows proxies for single protocols, and SOCKS for the rest", () => {
    const script = staticPac("http=a:1;https=b:2;socks=c:3", "");
    assertEquals(decide(script, "http://x.y/"), "PROXY a:1");
    assertEquals(decide(script, "https://x.y/"), "PROXY b:2");
    assertEquals(decide(script, "ws://x.y/"), "SOCKS c:3");
    assertEquals(decide(staticPac("http=a:1", ""), "https://x.y/"), "DIRECT");
  });

  it("keeps to the user's exceptions", () => {
    const script = staticPac("corp:3128", "*.Corp.example;10.*; <local>");
    for (const host of ["wiki.corp.example", "10.1.2.3", "intranet"]) {
      assertEquals(decide(script, `http://${host}/`), "DIRECT");
    }
    assertEquals(decide(script, "http://corp.example/"), "PROXY corp:3128");
    assertEquals(decide(staticPac("corp:3128", ""), "http://intranet/"), "PROXY corp:3128");
  });
});
