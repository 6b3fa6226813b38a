import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { toService } from "../../src/cluster/service_model.ts";

const metadata = { namespace: "dev", name: "orders" };

describe("toService", () => {
  it("keeps what reaching a service needs", () => {
    const service = toService({
      metadata: { ...metadata, labels: { team: "a" } },
      spec: {
        type: "NodePort",
        clusterIP: "10.96.0.7",
        clusterIPs: ["10.96.0.7", "FD00:0::7"],
        selector: { app: "orders" },
        sessionAffinity: "ClientIP",
        ports: [
          { name: "http", port: 80, targetPort: "web", nodePort: 30080 },
          { port: 53, protocol: "UDP", targetPort: 5353 },
          { name: "plain", port: 9000, protocol: "TCP" },
        ],
      },
    });
    assertEquals(service, {
      namespace: "dev",
      name: "orders",
      kind: "ClusterIP",
      clusterIPs: ["10.96.0.7", "fd00::7"],
      externalName: "",
      ports: [
        { name: "http", port: 80, protocol: "TCP", targetPort: "web" },
        { name: "", port: 53, protocol: "UDP", targetPort: 5353 },
        { name: "plain", port: 9000, protocol: "TCP", targetPort: 9000 },
      ],
      selector: { app: "orders" },
      affinity: 10_800,
      publishNotReadyAddresses: false,
    });
  });

  it("tells headless services by clusterIP None, in old objects too", () => {
    assertEquals(toService({ metadata, spec: { clusterIP: "None" } }).kind, "Headless");
    const service = toService({ metadata, spec: { clusterIP: "None", clusterIPs: ["None"] } });
    assertEquals([service.kind, service.clusterIPs], ["Headless", []]);
  });

  it("knows the affinity's own time", () => {
    const sessionAffinityConfig = { clientIP: { timeoutSeconds: 60 } };
    assertEquals(toService({ metadata, spec: { sessionAffinity: "ClientIP", sessionAffinityConfig } }).affinity, 60);
    assertEquals(toService({ metadata, spec: { sessionAffinity: "None" } }).affinity, 0);
  });

  it("writes an ExternalName in lower case without its last dot", () => {
    const service = toService({ metadata, spec: { type: "ExternalName", externalName: "DB.example.COM." } });
    assertEquals([service.kind, service.externalName, service.clusterIPs], ["ExternalName", "db.example.com", []]);
  });

  it("tells the services that hawser has made for its own use from previews, which are for everybody's", () => {
    const own = (name: string) =>
      toService({
        metadata: { name, labels: { "app.kubernetes.io/managed-by": "hawser", "hawser.dev/service": "orders" } },
      })
        .own;
    assertEquals([own("orders-hawser-origin"), own("orders")], [true, undefined]);
  });
});
