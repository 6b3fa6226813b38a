import { assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Service } from "../../src/cluster/directory.ts";
import { parseProxyUrl } from "../../src/platform/proxy_settings.ts";
import { pacFile, type PacOptions } from "../../src/proxy/pac.ts";

function service(namespace: string, name: string, rest: Partial<Service> = {}): Service {
  return {
    namespace,
    name,
    kind: "ClusterIP",
    clusterIPs: [],
    externalName: "",
    ports: [],
    selector: {},
    affinity: 0,
    publishNotReadyAddresses: false,
    ...rest,
  };
}

function directory(services: Service[]): PacOptions["directory"] {
  return { namespace: "dev", namespaces: ["dev", "staging"], zone: "cluster.local", services: () => services };
}

const cluster = directory([
  service("dev", "orders", { clusterIPs: ["10.96.0.7", "fd00::7"] }),
  service("dev", "web", { kind: "Headless" }),
  service("staging", "mysql"),
]);

/** The decision of a browser that runs the file. */
function decide(file: string, host: string): string {
  const find = new Function(`${file}; return FindProxyForURL;`)();
  return find(`http://${host}/`, host);
}

describe("pacFile", () => {
  const file = pacFile({ port: 1080, directory: cluster });
  const ours = "PROXY 127.0.0.1:1080";

  for (
    const host of [
      "orders",
      "ORDERS",
      "orders.",
      "orders.dev",
      "orders.dev.svc",
      "orders.other.svc",
      "orders.dev.svc.cluster.local",
      "orders.dev.svc.cluster.local.",
      "web-0.web",
      "web-0.web.dev",
      "mysql.staging",
      "10.96.0.7",
      "fd00::7",
      "[fd00::7]",
    ]
  ) it(`sends ${host} to us`, () => assertEquals(decide(file, host), ours));

  for (
    const host of [
      "example.org",
      "mysql",
      "notdev",
      "dev",
      "svc",
      "10.96.0.8",
      "localhost",
      "127.0.0.1",
      "127.77.0.1",
      "::1",
      "constructor",
      "__proto__",
      "cluster.local",
      "xcluster.local",
      "",
    ]
  ) it(`leaves "${host}" alone`, () => assertEquals(decide(file, host), "DIRECT"));

  it("has the rest come to us first when the user has a proxy, because we know its exceptions", () => {
    const decision = (url: string) =>
      decide(pacFile({ port: 1081, directory: cluster, fallback: parseProxyUrl(url, "HTTP_PROXY") }), "example.org");
    assertEquals(decision("http://proxy.corp:3128"), "PROXY 127.0.0.1:1081; PROXY proxy.corp:3128");
    assertEquals(decision("https://jane:secret@proxy.corp"), "PROXY 127.0.0.1:1081; HTTPS proxy.corp:443");
    assertEquals(decision("socks5h://[fd00::1]"), "PROXY 127.0.0.1:1081; SOCKS5 [fd00::1]:1080");
    assertEquals(decision("socks4a://s"), "PROXY 127.0.0.1:1081; SOCKS s:1080");
  });

  it("lets no value out of its quotes and speaks ECMAScript 3", () => {
    const odd = pacFile({ port: 1, directory: directory([service("dev", 'a"; throw 1; "\u2028')]) });
    assertEquals(decide(odd, "orders.dev"), "PROXY 127.0.0.1:1");
    assertFalse(/\b(let|const)\b|=>|`/.test(odd), odd);
  });

  it("leaves what is not the cluster's to the user's own script, whatever names that has", () => {
    const outside =
      'var exact = "theirs", suffixes = 1;\nfunction FindProxyForURL(url, host) { return exact + " " + url + " " + host; } // end';
    const file = pacFile({
      port: 1080,
      directory: cluster,
      outside,
      fallback: parseProxyUrl("http://corp:3128", "HTTPS_PROXY"),
    });
    assertEquals(decide(file, "Example.com"), "theirs http://Example.com/ Example.com");
    assertEquals(decide(file, "orders"), ours);
    assertEquals(decide(file, "localhost"), "DIRECT");
  });
});
