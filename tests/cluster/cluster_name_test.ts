import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseClusterName } from "../../src/cluster/cluster_name.ts";

const ours = { namespace: "dev", zone: "cluster.local" };
const parse = (host: string, where = ours) => parseClusterName(host, where);

/** Candidates in short: `kind:what@namespace`. */
function meanings(host: string, where = ours): string[] {
  const name = parse(host, where);
  if (name.kind !== "name") return [name.kind === "address" ? name.address : name.kind];
  return name.candidates.map((candidate) => {
    switch (candidate.kind) {
      case "service":
        return `service:${candidate.service}@${candidate.namespace}`;
      case "endpoint":
        return `endpoint:${candidate.hostname}.${candidate.service}@${candidate.namespace}`;
      case "port":
        return `port:${candidate.port}/${candidate.protocol}.${candidate.service}@${candidate.namespace}`;
      case "pod":
        return `pod:${candidate.address}@${candidate.namespace}`;
      case "namespace":
        return `namespace:${candidate.namespace}`;
      case "zone":
        return "zone";
    }
  });
}

describe("parseClusterName", () => {
  for (
    const [host, expected] of [
      ["orders", ["service:orders@dev"]],
      ["Orders.", ["service:orders@dev"]],
      ["orders.shop", ["endpoint:orders.shop@dev", "service:orders@shop"]],
      ["orders.shop.svc", ["endpoint:orders.shop@svc", "service:orders@shop"]],
      ["orders.svc", ["endpoint:orders.svc@dev", "service:orders@svc"]],
      ["orders.shop.svc.cluster.local", ["service:orders@shop"]],
      ["ORDERS.shop.SVC.Cluster.Local.", ["service:orders@shop"]],
      ["web-0.web", ["endpoint:web-0.web@dev", "service:web-0@web"]],
      ["web-0.web.shop", ["endpoint:web-0.web@shop"]],
      ["web-0.web.shop.svc", ["endpoint:web-0.web@shop"]],
      ["web-0.web.shop.svc.cluster.local", ["endpoint:web-0.web@shop"]],
      ["10-1-2-3.web.shop.svc.cluster.local", ["endpoint:10-1-2-3.web@shop"]],
      ["fd00--7.web.shop.svc.cluster.local", ["endpoint:fd00--7.web@shop"]],
      ["fd00--.web.shop.svc.cluster.local", ["endpoint:fd00--.web@shop"]],
      ["--1.web.shop.svc.cluster.local", ["endpoint:--1.web@shop"]],
      ["10-1-2-3.shop.pod.cluster.local", ["pod:10.1.2.3@shop"]],
      ["fd00--0.shop.pod.cluster.local", ["pod:fd00::@shop"]],
      ["10-1-2-3.shop.pod", ["endpoint:10-1-2-3.shop@pod", "pod:10.1.2.3@shop"]],
      ["_http._tcp.web.shop.svc.cluster.local", ["port:http/TCP.web@shop"]],
      ["_dns._UDP.web", ["port:dns/UDP.web@dev"]],
      ["_dns._udp.web.shop", ["port:dns/UDP.web@shop"]],
      ["_dns._udp.web.shop.svc", ["port:dns/UDP.web@shop"]],
      ["shop.svc.cluster.local", ["namespace:shop"]],
      ["shop.pod.cluster.local", ["namespace:shop"]],
      ["svc.cluster.local", ["zone"]],
      ["pod.cluster.local", ["zone"]],
      ["cluster.local", ["zone"]],
      ["svc", ["service:svc@dev"]],
    ] as const
  ) {
    it(`reads ${host} as ${expected.join(", then ")}`, () => assertEquals(meanings(host), [...expected]));
  }

  it("says whether a name is under the zone", () => {
    const qualified = (host: string) => {
      const name = parse(host);
      return name.kind === "name" && name.qualified;
    };
    assert(qualified("orders.shop.svc.cluster.local"));
    assert(qualified("nothing.cluster.local"));
    assert(!qualified("orders.shop"));
  });

  for (
    const host of [
      "x.cluster.local",
      "a.b.c.shop.svc.cluster.local",
      "_http._icmp.web.shop.svc.cluster.local",
      "_tcp.web.shop.svc.cluster.local",
      "not-an-ip.shop.pod.cluster.local",
      "a.10-1-2-3.shop.pod.cluster.local",
      "-a.shop.svc.cluster.local",
      `${"a".repeat(64)}.shop.svc.cluster.local`,
      ".cluster.local",
      "a..svc.cluster.local",
    ]
  ) {
    it(`finds no meaning under the zone in ${host}`, () => {
      assertEquals(parse(host), { kind: "name", qualified: true, candidates: [] });
    });
  }

  for (
    const host of [
      "",
      ".",
      "..",
      "a..b",
      ".orders",
      "orders..",
      "-orders",
      "orders-",
      "or ders",
      "_orders",
      "a.b.c.d",
      "api.eu.github.com",
      "mycluster.local.example.com",
      "a".repeat(64),
      `${"a.".repeat(127)}a`,
      "\u212Aafka", // the Kelvin sign, whose lower case is k
      "[::1]",
      "fe80::1%eth0",
      "1.2.3.4:80",
      "köln.shop",
    ]
  ) {
    it(`leaves ${JSON.stringify(host)} alone`, () => assertEquals(parse(host), { kind: "foreign" }));
  }

  it("knows any spelling of an address", () => {
    assertEquals(meanings("10.1.2.3"), ["10.1.2.3"]);
    assertEquals(meanings("FD00:0:0::0007"), ["fd00::7"]);
    assertEquals(meanings("::ffff:10.1.2.3"), ["10.1.2.3"]);
    assertEquals(meanings("::FFFF:0a01:0203"), ["10.1.2.3"]);
  });

  it("takes 63 characters a label and 253 a name", () => {
    const long = "a".repeat(63);
    assertEquals(meanings(long), [`service:${long}@dev`]);
    const name = `${"b".repeat(61)}.${long}.${long}.${long}`;
    assertEquals(name.length, 253);
    assertEquals(meanings(name, { ...ours, zone: `${long}.${long}` }), []);
    assertEquals(parse(`a${name}`, { ...ours, zone: long }), { kind: "foreign" });
  });

  it("works with another zone", () => {
    const where = { namespace: "dev", zone: "k8s.example.org" };
    assertEquals(meanings("orders.shop.svc.k8s.example.org", where), ["service:orders@shop"]);
    assertEquals(meanings("orders.shop.svc.cluster.local", where), ["foreign"]);
  });

  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
  const anyCase = (text: string, upper: readonly boolean[]) =>
    [...text].map((character, at) => upper[at % upper.length] ? character.toUpperCase() : character).join("");

  it("never throws, whatever the text", () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.ipV6(), fc.domain()), (host) => {
      assert(["address", "name", "foreign"].includes(parse(host).kind));
    }));
  });

  it("finds every service by each of its names, in any case, with and without the last dot", () => {
    fc.assert(
      fc.property(
        label,
        label,
        fc.array(fc.boolean(), { minLength: 1 }),
        fc.boolean(),
        (service, namespace, upper, dot) => {
          for (const ending of ["", ".svc", ".svc.cluster.local"]) {
            const name = parse(anyCase(`${service}.${namespace}${ending}`, upper) + (dot ? "." : ""));
            assert(name.kind === "name");
            assertEquals(name.candidates.at(-1), { kind: "service", namespace, service });
          }
        },
      ),
    );
  });

  it("means the same by a short name as by the names the search list makes of it", () => {
    const word = fc.oneof(label, fc.constantFrom("_http", "_tcp", "svc", "pod", "10-1-2-3", "dev", "local"));
    fc.assert(fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (labels) => {
      const short = labels.join(".");
      fc.pre(!short.endsWith("cluster.local"));
      const searched = ["dev.svc.cluster.local", "svc.cluster.local", "cluster.local"]
        .flatMap((suffix) => meanings(`${short}.${suffix}`))
        .filter((meaning) => !/^(namespace:|zone)/.test(meaning));
      assertEquals(meanings(short), searched.length === 0 ? ["foreign"] : searched);
    }));
  });
});
