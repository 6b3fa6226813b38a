import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Service, ServicePort } from "../../src/cluster/directory.ts";
import { serviceVariables } from "../../src/cluster/service_variables.ts";

function service(name: string, ports: readonly Partial<ServicePort>[], changes: Partial<Service> = {}): Service {
  return {
    namespace: "dev",
    name,
    kind: "ClusterIP",
    clusterIPs: ["10.96.0.9"],
    externalName: "",
    ports: ports.map((port) => ({ name: "", port: 80, protocol: "TCP", targetPort: 80, ...port })),
    selector: {},
    affinity: 0,
    publishNotReadyAddresses: false,
    ...changes,
  };
}

describe("serviceVariables", () => {
  it("names and orders them as the kubelet does, with other addresses", () => {
    const orders = service("my-orders.v2", [{ name: "http-web" }, { name: "admin", port: 9090 }]);
    assertEquals(serviceVariables([orders], (_, { port }) => ({ host: "127.77.1.2", port: port + 20_000 })), {
      MY_ORDERS_V2_SERVICE_HOST: "127.77.1.2",
      MY_ORDERS_V2_SERVICE_PORT: "20080",
      MY_ORDERS_V2_PORT: "tcp://127.77.1.2:20080",
      MY_ORDERS_V2_SERVICE_PORT_HTTP_WEB: "20080",
      MY_ORDERS_V2_PORT_80_TCP: "tcp://127.77.1.2:20080",
      MY_ORDERS_V2_PORT_80_TCP_PROTO: "tcp",
      MY_ORDERS_V2_PORT_80_TCP_PORT: "20080",
      MY_ORDERS_V2_PORT_80_TCP_ADDR: "127.77.1.2",
      MY_ORDERS_V2_SERVICE_PORT_ADMIN: "29090",
      MY_ORDERS_V2_PORT_9090_TCP: "tcp://127.77.1.2:29090",
      MY_ORDERS_V2_PORT_9090_TCP_PROTO: "tcp",
      MY_ORDERS_V2_PORT_9090_TCP_PORT: "29090",
      MY_ORDERS_V2_PORT_9090_TCP_ADDR: "127.77.1.2",
    });
  });

  it("promises nothing under the host's name that is elsewhere, and nothing for a port without an address", () => {
    const web = service("web", [{ port: 53, protocol: "UDP" }, { name: "http" }, { name: "admin", port: 9090 }]);
    const variables = serviceVariables(
      [web],
      (_, { port, protocol }) => protocol === "UDP" ? undefined : { host: port === 80 ? "127.0.0.1" : "fd00::1", port },
    );
    assertEquals(Object.keys(variables).filter((name) => /UDP|SERVICE_PORT_ADMIN/.test(name)), []);
    assertEquals(variables.WEB_SERVICE_HOST, "127.0.0.1");
    assertEquals(variables.WEB_PORT_9090_TCP, "tcp://[fd00::1]:9090");
  });

  it("has none for services that pods have none of", () => {
    const others = [
      service("headless", [{}], { kind: "Headless" }),
      service("outside", [{}], { kind: "ExternalName" }),
      service("kubernetes", [{}]),
      service("agent", [{}], { own: true }),
      service("portless", []),
      service("nowhere", [{ port: 81 }]),
    ];
    const found = serviceVariables(others, (_, { port }) => port === 81 ? undefined : { host: "127.0.0.1", port });
    assertEquals(found, {});
  });
});
