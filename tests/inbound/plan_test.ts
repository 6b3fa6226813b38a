import type { V1EndpointSlice, V1Pod, V1Service } from "@kubernetes/client-node";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { planAgent, planPreview } from "../../src/inbound/plan.ts";
import { Failure } from "../../src/platform/failure.ts";

function service(spec: V1Service["spec"]): V1Service {
  return { metadata: { namespace: "dev", name: "orders" }, spec: { selector: { app: "orders" }, ...spec } };
}

function slice(port: number, name: string, ready = true): V1EndpointSlice {
  return {
    addressType: "IPv4",
    ports: [{ name, port }],
    endpoints: [{ addresses: ["10.244.0.7"], conditions: { ready } }],
  };
}

function pod(name: string, containerPort: number): V1Pod {
  return { spec: { containers: [{ name: "main", ports: [{ name, containerPort }] }] } };
}

describe("planAgent", () => {
  it("keeps numbers, and finds those of named target ports in what serves now", () => {
    const ports = [{ port: 80, name: "web", targetPort: "http" }, { port: 9000, name: "raw" }];
    const plan = planAgent({ service: service({ ports }), slices: [slice(8080, "web")], pods: [] });
    assertEquals(plan.ports, [
      { port: 80, name: "web", agentPort: 8080, containerPortName: "http", tls: false },
      { port: 9000, name: "raw", agentPort: 9000, containerPortName: undefined, tls: false },
    ]);
  });

  it("finds a named port in the pods where nothing serves, and makes one up where there are none", () => {
    const ports = [{ port: 80, targetPort: "http" }];
    const agentPort = (slices: V1EndpointSlice[], pods: V1Pod[]) =>
      planAgent({ service: service({ ports }), slices, pods }).ports[0]?.agentPort;
    assertEquals(agentPort([slice(8081, "", false)], [pod("http", 8082)]), 8082);
    assertEquals(agentPort([], [pod("other", 8082)]), 80);
  });

  it("gives the origin Service the selector and the ports as they are", () => {
    const ports = [{ port: 80, name: "web", targetPort: "http", nodePort: 30080, appProtocol: "kubernetes.io/h2c" }];
    const plan = planAgent({
      service: service({ ports, type: "NodePort", ipFamilies: ["IPv6"] }),
      slices: [],
      pods: [],
    });
    assertEquals(plan.origin, {
      selector: { app: "orders" },
      ports: [{ name: "web", port: 80, protocol: "TCP", targetPort: "http", appProtocol: "kubernetes.io/h2c" }],
      publishNotReadyAddresses: false,
      ipFamilies: ["IPv6"],
      ipFamilyPolicy: undefined,
    });
  });

  it("knows ports that say they carry TLS", () => {
    const ports = [
      { port: 443 },
      { port: 8443, name: "https" },
      { port: 9443, name: "web", appProtocol: "https" },
      { port: 8080, name: "https-not", appProtocol: "http" },
    ];
    const plan = planAgent({ service: service({ ports }), slices: [], pods: [] });
    assertEquals(plan.ports.map(({ tls }) => tls), [true, true, true, false]);
  });

  it("keeps its own ports clear of the service's", () => {
    const ports = [17470, 17471, 17473].map((port) => ({ port, name: `p${port}` }));
    const { linkPort, healthPort } = planAgent({ service: service({ ports }), slices: [], pods: [] });
    assertEquals([linkPort, healthPort], [17472, 17474]);
  });

  it("refuses what an agent cannot stand in for, with the reason", () => {
    const refusal = (spec: V1Service["spec"]) =>
      assertThrows(() => planAgent({ service: service(spec), slices: [], pods: [] }), Failure).message;
    assertStringIncludes(refusal({ type: "ExternalName", externalName: "db.example" }), '"db.example"');
    assertStringIncludes(refusal({ selector: {}, ports: [{ port: 80 }] }), "has no selector");
    assertStringIncludes(refusal({ ports: [{ port: 80 }, { port: 53, protocol: "UDP" }] }), "UDP port 53");
    assertStringIncludes(refusal({ clusterIP: "None" }), "has no ports");
    const labels = { "app.kubernetes.io/managed-by": "hawser", "hawser.dev/service": "orders" };
    const own = { metadata: { name: "orders-hawser-origin", labels }, spec: { ports: [{ port: 80 }] } };
    const { message } = assertThrows(() => planAgent({ service: own, slices: [], pods: [] }), Failure);
    assertStringIncludes(message, `hawser's own: name the service it was made for, "orders"`);
  });

  it("warns of names of single pods that will not resolve", () => {
    const member: V1Pod = { spec: { hostname: "orders-0", subdomain: "orders", containers: [] } };
    const plan = planAgent({
      service: service({ ports: [{ port: 80 }], clusterIP: "None" }),
      slices: [],
      pods: [member],
    });
    assertStringIncludes(plan.warnings.join("\n"), "orders-0.orders");
    assertStringIncludes(plan.warnings.join("\n"), "headless");
  });
});

describe("planPreview", () => {
  it("names ports only where there are several, as a Service must", () => {
    assertEquals(planPreview("dev", "new", [80], "alice@one").ports.map(({ name }) => name), [""]);
    assertEquals(planPreview("dev", "new", [80, 81], "alice@one").ports.map(({ name }) => name), [
      "port-80",
      "port-81",
    ]);
    assertEquals(planPreview("dev", "new", [80], "alice@one").origin, undefined);
  });
});
