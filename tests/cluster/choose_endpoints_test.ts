import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { chooseEndpoints } from "../../src/cluster/choose_endpoints.ts";
import type { Endpoint, Service } from "../../src/cluster/directory.ts";

const service: Service = {
  namespace: "dev",
  name: "web",
  kind: "ClusterIP",
  clusterIPs: ["10.96.0.1"],
  externalName: "",
  ports: [
    { name: "http", port: 80, protocol: "TCP", targetPort: "web" },
    { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
    { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
    { name: "stats", port: 8125, protocol: "UDP", targetPort: 8125 },
  ],
  selector: { app: "web" },
  affinity: 0,
  publishNotReadyAddresses: false,
};

function endpoint(name: string, state = "ready", ports = [{ name: "http", port: 8080, protocol: "TCP" }]): Endpoint {
  return {
    addresses: ["10.244.0.5"],
    hostname: "",
    pod: { namespace: "dev", name, uid: name },
    ready: state === "ready",
    serving: state !== "unready",
    terminating: state === "terminating",
    ports,
  };
}

function chosen(service: Service, port: number, endpoints: readonly Endpoint[]): (readonly [string, number])[] {
  const choice = chooseEndpoints(service, port, endpoints);
  assert(choice.kind === "candidates", JSON.stringify(choice));
  return choice.candidates.map(({ endpoint, port }) => [endpoint.pod?.name ?? "", port]);
}

describe("chooseEndpoints", () => {
  it("translates the port by its name, for each pod its own", () => {
    const endpoints = [endpoint("a"), endpoint("b", "ready", [{ name: "http", port: 9090, protocol: "TCP" }])];
    assertEquals(chosen(service, 80, endpoints), [["a", 8080], ["b", 9090]]);
  });

  it("takes the TCP port where the number is UDP's as well", () => {
    const ports = [{ name: "dns", port: 5353, protocol: "UDP" }, { name: "dns-tcp", port: 5354, protocol: "TCP" }];
    assertEquals(chosen(service, 53, [endpoint("a", "ready", ports)]), [["a", 5354]]);
  });

  it("prefers ready pods", () => {
    const endpoints = [endpoint("a", "unready"), endpoint("b"), endpoint("c", "terminating")];
    assertEquals(chosen(service, 80, endpoints), [["b", 8080]]);
  });

  it("falls back to pods that still serve while they terminate", () => {
    assertEquals(chosen(service, 80, [endpoint("a", "unready"), endpoint("c", "terminating")]), [["c", 8080]]);
  });

  it("has nobody when no pod is ready", () => {
    assertEquals(chooseEndpoints(service, 80, [endpoint("a", "unready")]), { kind: "not-ready" });
    assertEquals(chooseEndpoints(service, 80, []), { kind: "not-ready" });
  });

  it("passes over pods without a container port of that name", () => {
    assertEquals(chosen(service, 80, [endpoint("a", "ready", []), endpoint("b")]), [["b", 8080]]);
    assertEquals(chooseEndpoints(service, 80, [endpoint("a", "ready", [])]), { kind: "not-ready" });
  });

  it("dials the service's own target where the slice says any port", () => {
    const any = (name: string) => [endpoint("a", "ready", [{ name, port: 0, protocol: "TCP" }])];
    assertEquals(chosen(service, 53, any("dns-tcp")), [["a", 53]]);
    assertEquals(chosen(service, 80, any("http")), [["a", 80]]);
  });

  it("dials any port of a headless service as it was given", () => {
    const headless: Service = { ...service, kind: "Headless", clusterIPs: [] };
    assertEquals(chosen(headless, 80, [endpoint("a"), endpoint("b", "unready")]), [["a", 80]]);
    assertEquals(chosen({ ...headless, ports: [] }, 5432, [endpoint("a", "ready", [])]), [["a", 5432]]);
  });

  it("refuses an unknown port and lists those there are", () => {
    assertEquals(chooseEndpoints(service, 8080, [endpoint("a")]), {
      kind: "refused",
      message:
        'Service "web" in namespace "dev" has no port 8080; it has 80 (http), 53/UDP (dns), 53 (dns-tcp), 8125/UDP (stats)',
    });
  });

  it("says that UDP cannot be carried", () => {
    assertEquals(chooseEndpoints(service, 8125, [endpoint("a")]), {
      kind: "unsupported",
      message:
        'Port 8125 of Service "web" in namespace "dev" is UDP only, which a port-forward cannot carry: add --relay',
    });
  });

  it("says where an ExternalName leads", () => {
    const external: Service = { ...service, kind: "ExternalName", externalName: "db.example.com", ports: [] };
    assertEquals(chooseEndpoints(external, 80, []), {
      kind: "unsupported",
      message:
        'Service "web" in namespace "dev" stands for the outside name "db.example.com" and has no pods, so that a port-forward cannot reach it: add --relay',
    });
  });
});
