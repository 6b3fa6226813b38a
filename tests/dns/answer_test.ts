import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Packet } from "dns2";
import type { Directory, Endpoint, Service } from "../../src/cluster/directory.ts";
import { answer, type AnswerOptions } from "../../src/dns/answer.ts";
import type { DnsRecord } from "../../src/dns/record.ts";
import { endpoint, fakeDirectory, type Scene, service } from "./fake_directory.ts";

const http = { name: "http", port: 80, protocol: "TCP", targetPort: 8080 } as const;
const metrics = { name: "metrics", port: 9090, protocol: "TCP", targetPort: "metrics" } as const;
const dnsUdp = { name: "dns", port: 53, protocol: "UDP", targetPort: 53 } as const;
const dnsTcp = { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 } as const;
const containerHttp = { name: "http", port: 8080, protocol: "TCP" };

const orders = service("orders", { clusterIPs: ["10.96.0.7"], ports: [http, metrics] });
const both = service("both", { clusterIPs: ["10.96.0.8", "fd00:96::8"], ports: [{ ...http, name: "" }] });
const dns = service("dns", { namespace: "other", clusterIPs: ["10.96.0.53"], ports: [dnsUdp, dnsTcp] });
const web = service("web", { kind: "Headless", ports: [http] });
const web0 = endpoint(["10.244.0.4"], { hostname: "web-0", ports: [containerHttp] });
const web1 = endpoint(["10.244.0.5"], { hostname: "web-1", ports: [{ ...containerHttp, port: 9090 }] });
const web2 = endpoint(["10.244.0.6"], { hostname: "web-2", ready: false, ports: [containerHttp] });
const bare = service("bare", { kind: "Headless" });
const bareEndpoint = endpoint(["10.244.0.9", "fd00:244::9"]);
const idle = service("idle", { kind: "Headless", ports: [http] });
const idleEndpoint = endpoint(["10.244.0.10"], { ready: false, ports: [containerHttp] });
const ordersEndpoint = endpoint(["10.244.0.7"], { ports: [containerHttp] });

const scene: Scene = {
  services: [
    [orders, ordersEndpoint],
    [both],
    [dns],
    [web, web0, web1, web2],
    [bare, bareEndpoint],
    [idle, idleEndpoint],
    [external("alias", "orders.dev.svc.cluster.local")],
    [external("second", "alias.dev.svc.cluster.local")],
    [external("pod-alias", "web-1.web.dev.svc.cluster.local")],
    [external("astray", "no.dev.svc.cluster.local")],
    [external("outside", "db.example.com")],
    [external("number", "192.0.2.1")],
  ],
  namespaces: ["empty"],
  pods: ["10.244.0.99"],
};

describe("answer", () => {
  it("gives a service's cluster addresses by family, and no data where it has none", async () => {
    assertEquals(await ask("orders.dev.svc.cluster.local", "A"), ["A 10.96.0.7"]);
    assertEquals(await ask("orders.dev.svc.cluster.local", "AAAA"), "NODATA");
    assertEquals(await ask("both.dev.svc.cluster.local", "AAAA"), ["AAAA fd00:96::8"]);
    assertEquals(await ask("dns.other.svc.cluster.local", "A"), ["A 10.96.0.53"]);
    assertEquals(await ask("orders.dev.svc.cluster.local", "MX"), "NODATA");
    assertEquals(await ask("orders.dev.svc.cluster.local", "TXT"), "NODATA");
  });

  it("gives both families to ANY, which Java 8 asks for", async () => {
    assertEquals(await ask("both", "ANY"), ["A 10.96.0.8", "AAAA fd00:96::8"]);
    assertEquals(await ask("orders.dev", "ANY"), ["A 10.96.0.7"]);
  });

  it("answers short names as a pod of the namespace would have them, under the name asked and in its case", async () => {
    for (const name of ["orders", "Orders.DEV", "orders.dev.svc", "ORDERS.dev.svc.Cluster.Local"]) {
      const response = await respond(name, "A");
      assertEquals(response?.answers, [{ name, ttl: 5, type: "A", address: "10.96.0.7" }]);
      assertEquals(response?.authoritative, true);
    }
  });

  it("gives the ready endpoints of a headless service, and says that it does not exist where there are none", async () => {
    assertEquals(await ask("web", "A"), ["A 10.244.0.4", "A 10.244.0.5"]);
    assertEquals(await ask("web", "AAAA"), "NODATA");
    assertEquals(await ask("bare", "AAAA"), ["AAAA fd00:244::9"]);
    assertEquals(await ask("idle.dev.svc.cluster.local", "A"), "NXDOMAIN");
    const response = await respond("idle.dev.svc.cluster.local", "A");
    assertEquals(response?.explanation?.text.includes("no such ready endpoint"), true);
  });

  it("knows endpoints by host name, else by dashed address, ready ones only", async () => {
    assertEquals(await ask("web-0.web.dev.svc.cluster.local", "A"), ["A 10.244.0.4"]);
    assertEquals(await ask("web-1.web", "A"), ["A 10.244.0.5"]);
    assertEquals(await ask("web-2.web.dev.svc.cluster.local", "A"), "NXDOMAIN");
    assertEquals(await ask("10-244-0-4.web.dev.svc.cluster.local", "A"), "NXDOMAIN");
    assertEquals(await ask("10-244-0-9.bare.dev.svc.cluster.local", "A"), ["A 10.244.0.9"]);
    assertEquals(await ask("10-244-0-9.bare.dev.svc.cluster.local", "AAAA"), "NODATA");
    assertEquals(await ask("fd00-244--9.bare.dev.svc.cluster.local", "AAAA"), ["AAAA fd00:244::9"]);
    assertEquals(await ask("10-244-0-7.orders.dev.svc.cluster.local", "A"), ["A 10.244.0.7"]);
  });

  it("gives the ports of a cluster address with the service as target", async () => {
    assertEquals(await ask("_http._tcp.orders.dev.svc.cluster.local", "SRV"), [
      "SRV 0 100 80 orders.dev.svc.cluster.local",
      "+ orders.dev.svc.cluster.local A 10.96.0.7",
    ]);
    assertEquals(await ask("orders.dev.svc.cluster.local", "SRV"), [
      "SRV 0 50 80 orders.dev.svc.cluster.local",
      "SRV 0 50 9090 orders.dev.svc.cluster.local",
      "+ orders.dev.svc.cluster.local A 10.96.0.7",
    ]);
    assertEquals(await ask("_http._tcp.orders.dev.svc.cluster.local", "A"), ["A 10.96.0.7"]);
  });

  it("gives one target for both families, and one record for a port of both protocols", async () => {
    assertEquals(await ask("both", "SRV"), [
      "SRV 0 50 80 both.dev.svc.cluster.local",
      "+ both.dev.svc.cluster.local A 10.96.0.8",
      "+ both.dev.svc.cluster.local AAAA fd00:96::8",
    ]);
    const target = "dns.other.svc.cluster.local";
    assertEquals(await ask(target, "SRV"), [`SRV 0 50 53 ${target}`, `+ ${target} A 10.96.0.53`]);
    assertEquals(await ask(`_dns._udp.${target}`, "SRV"), [`SRV 0 100 53 ${target}`, `+ ${target} A 10.96.0.53`]);
    assertEquals(await ask(`_dns._tcp.${target}`, "SRV"), "NXDOMAIN");
  });

  it("gives the endpoints of a headless service as targets, with their own ports", async () => {
    assertEquals(await ask("_http._tcp.web", "SRV"), [
      "SRV 0 50 8080 web-0.web.dev.svc.cluster.local",
      "SRV 0 50 9090 web-1.web.dev.svc.cluster.local",
      "+ web-0.web.dev.svc.cluster.local A 10.244.0.4",
      "+ web-1.web.dev.svc.cluster.local A 10.244.0.5",
    ]);
    assertEquals(await ask("bare", "SRV"), "NODATA");
  });

  it("knows no ports that are not there, and no port names of anything but services", async () => {
    assertEquals(await ask("_grpc._tcp.orders.dev.svc.cluster.local", "SRV"), "NXDOMAIN");
    assertEquals(await ask("_http._udp.orders.dev.svc.cluster.local", "SRV"), "NXDOMAIN");
    assertEquals(await ask("_http._tcp.alias.dev.svc.cluster.local", "SRV"), "NXDOMAIN");
    assertEquals(await ask("_http._tcp.dev.svc.cluster.local", "SRV"), "NXDOMAIN");
    assertEquals(await ask("_http._tcp.web-0.web.dev.svc.cluster.local", "SRV"), "NXDOMAIN");
  });

  it("follows an ExternalName inside the cluster to its addresses", async () => {
    const first = "CNAME orders.dev.svc.cluster.local";
    const addresses = "orders.dev.svc.cluster.local A 10.96.0.7";
    assertEquals(await ask("alias.dev.svc.cluster.local", "A"), [first, addresses]);
    assertEquals(await ask("second", "ANY"), [
      "CNAME alias.dev.svc.cluster.local",
      `alias.dev.svc.cluster.local ${first}`,
      addresses,
    ]);
    assertEquals(await ask("pod-alias", "A"), [
      "CNAME web-1.web.dev.svc.cluster.local",
      "web-1.web.dev.svc.cluster.local A 10.244.0.5",
    ]);
    assertEquals(await ask("alias", "CNAME"), [first]);
    assertEquals(await ask("alias.dev.svc.cluster.local", "AAAA"), "NODATA");
    assertEquals(await ask("alias.dev.svc.cluster.local", "SRV"), "NODATA");
    assertEquals(await ask("orders.dev.svc.cluster.local", "CNAME"), "NODATA");
    assertEquals(await ask("astray.dev.svc.cluster.local", "A"), "NODATA");
    assertEquals(await ask("astray.dev.svc.cluster.local", "CNAME"), ["CNAME no.dev.svc.cluster.local"]);
  });

  it("names where an ExternalName leads outside, and what others say about that", async () => {
    assertEquals(await ask("outside", "A"), ["CNAME db.example.com"]);
    const resolve: AnswerOptions["resolve"] = (name, type) =>
      Promise.resolve([
        { name, ttl: 60, type: "CNAME", domain: "db1.example.com" },
        { name: "db1.example.com", ttl: 60, type, address: type === "A" ? "192.0.2.5" : "2001:db8::5" },
      ]);
    assertEquals(await ask("outside", "ANY", { resolve }), [
      "CNAME db.example.com",
      "db.example.com CNAME db1.example.com",
      "db1.example.com A 192.0.2.5",
      "db1.example.com AAAA 2001:db8::5",
    ]);
    assertEquals(await ask("outside", "CNAME", { resolve }), ["CNAME db.example.com"]);
    assertEquals(await ask("number.dev.svc.cluster.local", "A"), "NXDOMAIN");
  });

  it("knows the names of cluster addresses and of ready endpoints", async () => {
    assertEquals(await ask("7.0.96.10.in-addr.arpa", "PTR"), ["PTR orders.dev.svc.cluster.local"]);
    assertEquals(await ask("4.0.244.10.in-addr.arpa", "PTR"), ["PTR web-0.web.dev.svc.cluster.local"]);
    assertEquals(await ask("7.0.244.10.in-addr.arpa", "PTR"), ["PTR 10-244-0-7.orders.dev.svc.cluster.local"]);
    assertEquals(await ask("7.0.96.10.in-addr.arpa", "A"), "NODATA");
    const v6 = "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.4.4.2.0.0.0.d.f";
    assertEquals(await ask(`${v6.replace("9.", "9.0.0.0.0.")}.ip6.arpa`, "PTR"), [
      "PTR fd00-244--9.bare.dev.svc.cluster.local",
    ]);
  });

  it("knows no name of a pod that serves nothing, and leaves addresses of others alone", async () => {
    assertEquals(await ask("99.0.244.10.in-addr.arpa", "PTR"), "NXDOMAIN");
    assertEquals(await ask("6.0.244.10.in-addr.arpa", "PTR"), "not ours");
    assertEquals(await ask("8.8.8.8.in-addr.arpa", "PTR"), "not ours");
  });

  it("echoes the address of a pod name where the namespace exists", async () => {
    assertEquals(await ask("10-1-2-3.empty.pod.cluster.local", "A"), ["A 10.1.2.3"]);
    assertEquals(await ask("fd00--3.empty.pod", "AAAA"), ["AAAA fd00::3"]);
    assertEquals(await ask("10-1-2-3.empty.pod.cluster.local", "AAAA"), "NODATA");
    assertEquals(await ask("10-1-2-3.nowhere.pod.cluster.local", "A"), "NXDOMAIN");
    assertEquals(await ask("10-1-2.empty.pod.cluster.local", "A"), "NXDOMAIN");
  });

  it("tells names that hold others from names that do not exist", async () => {
    for (const name of ["cluster.local", "svc.cluster.local", "pod.cluster.local", "empty.svc.cluster.local"]) {
      assertEquals(await ask(name, "A"), "NODATA", name);
    }
    for (
      const name of [
        "no.dev.svc.cluster.local",
        "no.svc.cluster.local",
        "orders.cluster.local",
        "a.b.c.d.svc.cluster.local",
      ]
    ) {
      assertEquals(await ask(name, "A"), "NXDOMAIN", name);
    }
  });

  it("says which version of the specification it follows", async () => {
    assertEquals(await ask("dns-version.cluster.local", "TXT"), ['TXT ["1.1.0"]']);
    assertEquals(await ask("dns-version.cluster.local", "A"), "NODATA");
  });

  it("goes with the zone's SOA when it has nothing to give, and gives it when asked", async () => {
    for (const name of ["no.dev.svc.Cluster.LOCAL", "empty.svc.Cluster.LOCAL"]) {
      const response = await respond(name, "A");
      assertEquals(response?.authorities.map(({ name, ttl, type }) => [name, ttl, type]), [[
        "Cluster.LOCAL",
        5,
        "SOA",
      ]]);
    }
    assertEquals((await respond("orders", "AAAA"))?.authorities, []);
    const [record] = (await respond("cluster.local", "SOA"))?.answers ?? [];
    assert(record?.type === "SOA");
    assertEquals([record.primary, record.admin, record.serial], [
      "ns.dns.cluster.local",
      "hostmaster.cluster.local",
      42,
    ]);
  });

  it("leaves to others what is none of the cluster's business", async () => {
    for (
      const name of ["www.example.com", "no", "localhost", "", "10.96.0.7", "orders\\046dev", "xn--bcher-kva.example"]
    ) {
      assertEquals(await ask(name, "A"), "not ours", name);
    }
    const chaos = await answer({ name: "orders", type: Packet.TYPE.A, class: 3 }, directory(), options(), signal());
    assertEquals(chaos, undefined);
  });

  it("answers with the address on which the tool listens for a service", async () => {
    const localAddress = ({ name }: Service) => ["orders", "web", "outside"].includes(name) ? "127.77.0.7" : undefined;
    const local = { localAddress };
    assertEquals(await ask("orders", "A", local), ["A 127.77.0.7"]);
    assertEquals(await ask("orders", "AAAA", local), "NODATA");
    assertEquals(await ask("web", "A", local), ["A 127.77.0.7"]);
    assertEquals(await ask("outside", "A", local), ["A 127.77.0.7"]);
    assertEquals(await ask("both", "A", local), ["A 10.96.0.8"]);
    assertEquals(await ask("web-0.web", "A", local), ["A 10.244.0.4"]);
    assertEquals(await ask("_http._tcp.web", "SRV", local), [
      "SRV 0 100 80 web.dev.svc.cluster.local",
      "+ web.dev.svc.cluster.local A 127.77.0.7",
    ]);
  });

  it("refuses what we may not look at, and says why", async () => {
    const message = 'you may not get services in namespace "secret"';
    const forbidden = found({ kind: "forbidden", message });
    const response = await answer(question("db.secret", "A"), forbidden, options(), signal());
    assertEquals([response?.rcode, response?.explanation?.text], ["REFUSED", message]);
  });

  it("leaves a short name that may be somebody else's to others, if there are any", async () => {
    const missing = found({ kind: "missing", message: 'no service "react" in namespace "dev"', mayBeForeign: true });
    const forwarding = options({ forwards: true });
    assertEquals(await answer(question("react.dev", "A"), missing, forwarding, signal()), undefined);
    assertEquals((await answer(question("react.dev", "A"), missing, options(), signal()))?.rcode, "NXDOMAIN");
  });

  it("fails where the directory fails", async () => {
    const broken = fakeDirectory({ ...scene, failure: new Error("the API server is away") });
    await assertRejects(() => answer(question("orders", "A"), broken, options(), signal()), Error, "is away");
  });

  it("still names other endpoints when those of one service may not be read", async () => {
    const whole = directory();
    const endpoints = (service: Service): Promise<readonly Endpoint[]> =>
      service.name === "bare" ? Promise.reject(new Error("forbidden")) : whole.endpoints(service, signal());
    const response = await answer(
      question("4.0.244.10.in-addr.arpa", "PTR"),
      { ...whole, endpoints },
      options(),
      signal(),
    );
    assertEquals(response?.answers.length, 1);
  });
});

function external(name: string, externalName: string): Service {
  return service(name, { kind: "ExternalName", externalName });
}

function directory(): Directory {
  return fakeDirectory(scene);
}

function found(lookup: Awaited<ReturnType<Directory["lookup"]>>): Directory {
  return { ...directory(), lookup: () => Promise.resolve(lookup) };
}

function options(rest: Partial<AnswerOptions> = {}): AnswerOptions {
  return {
    serial: 42,
    forwards: false,
    localAddress: () => undefined,
    resolve: () => Promise.resolve([]),
    ...rest,
  };
}

function question(name: string, type: keyof typeof Packet.TYPE) {
  return { name, type: Packet.TYPE[type], class: Packet.CLASS.IN };
}

function signal(): AbortSignal {
  return new AbortController().signal;
}

function respond(name: string, type: keyof typeof Packet.TYPE, rest?: Partial<AnswerOptions>) {
  return answer(question(name, type), directory(), options(rest), signal());
}

/** The answers as text, without the owner where it is the name asked, then the additional records with a plus; or what the lack of them means. */
async function ask(
  name: string,
  type: keyof typeof Packet.TYPE,
  rest?: Partial<AnswerOptions>,
): Promise<string[] | "NODATA" | "NXDOMAIN" | "not ours"> {
  const response = await respond(name, type, rest);
  if (!response) return "not ours";
  if (response.rcode === "NXDOMAIN") return "NXDOMAIN";
  assertEquals(response.rcode, "NOERROR");
  if (response.answers.length === 0) return "NODATA";
  return [
    ...response.answers.map((record) => record.name === name ? text(record) : `${record.name} ${text(record)}`),
    ...response.additionals.map((record) => `+ ${record.name} ${text(record)}`),
  ];
}

function text(record: DnsRecord): string {
  switch (record.type) {
    case "A":
    case "AAAA":
      return `${record.type} ${record.address}`;
    case "CNAME":
    case "PTR":
      return `${record.type} ${record.domain}`;
    case "SRV":
      return `SRV ${record.priority} ${record.weight} ${record.port} ${record.target}`;
    case "TXT":
      return `TXT ${JSON.stringify(record.data)}`;
    case "SOA":
      return `SOA ${record.primary}`;
  }
}
