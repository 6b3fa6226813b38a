import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { exampleUrl, type SeenService } from "../../src/cli/example_url.ts";

/** A service whose one endpoint serves all of its ports. */
function seen(
  name: string,
  ports: Readonly<Record<number, string>>,
  { namespace = "dev", pod = true, ready = true }: { namespace?: string; pod?: boolean; ready?: boolean } = {},
): SeenService {
  const all = Object.entries(ports).map(([port, name]) => ({ name, port: Number(port), protocol: "TCP" as const }));
  return {
    service: {
      namespace,
      name,
      kind: "ClusterIP",
      clusterIPs: ["10.96.0.7"],
      externalName: "",
      ports: all.map((port) => ({ ...port, targetPort: port.port })),
      selector: {},
      affinity: 0,
      publishNotReadyAddresses: false,
    },
    endpoints: [{
      addresses: ["10.244.0.7"],
      hostname: "",
      pod: pod ? { namespace, name: `${name}-0`, uid: "u" } : undefined,
      ready,
      serving: ready,
      terminating: false,
      ports: all,
    }],
  };
}

describe("exampleUrl", () => {
  it("names a service that looks like plain HTTP, by its port or the port's name", () => {
    assertEquals(exampleUrl([seen("mysql", { 3306: "mysql" }), seen("web", { 80: "" })], "dev"), "http://web/");
    assertEquals(exampleUrl([seen("web", { 9443: "https-admin", 9000: "http-api" })], "dev"), "http://web:9000/");
    assertEquals(exampleUrl([seen("shop", { 3000: "" })], "dev"), "http://shop:3000/");
  });

  it("prefers the own namespace, and names any other", () => {
    const other = seen("api", { 8080: "" }, { namespace: "base" });
    assertEquals(exampleUrl([other, seen("web", { 80: "" })], "dev"), "http://web/");
    assertEquals(exampleUrl([other], "dev"), "http://api.base:8080/");
  });

  it("names none that speaks TLS, has no ready pod, or has endpoints that are no pods", () => {
    assertEquals(
      exampleUrl([
        seen("kubernetes", { 443: "https" }, { pod: false }),
        seen("dashboard", { 443: "web", 8443: "http" }),
        seen("hook", { 9443: "webhook" }),
        seen("outside", { 80: "http" }, { pod: false }),
        seen("down", { 80: "http" }, { ready: false }),
        { ...seen("unseen", { 80: "http" }), endpoints: undefined },
      ], "dev"),
      undefined,
    );
  });
});
