import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import type { Endpoint, Pod, Service } from "../../src/cluster/directory.ts";
import { endpointsOfEndpoints, endpointsOfPods, endpointsOfSlice } from "../../src/cluster/slice_model.ts";

const targetRef = (name: string, uid = `uid-${name}`) => ({ kind: "Pod", namespace: "dev", name, uid });

function slice(
  addresses: string[],
  extra: Record<string, unknown> = {},
  ports = [{ name: "http", port: 8080, protocol: "TCP" }],
) {
  return {
    metadata: { namespace: "dev" },
    addressType: addresses[0]?.includes(":") ? "IPv6" : "IPv4",
    ports,
    endpoints: [{ addresses, ...extra }],
  };
}

const service: Service = {
  namespace: "dev",
  name: "web",
  kind: "ClusterIP",
  clusterIPs: ["10.96.0.1"],
  externalName: "",
  ports: [
    { name: "http", port: 80, protocol: "TCP", targetPort: "web" },
    { name: "dns", port: 53, protocol: "UDP", targetPort: "dns" },
    { name: "raw", port: 81, protocol: "TCP", targetPort: 8081 },
  ],
  selector: { app: "web" },
  affinity: 0,
  publishNotReadyAddresses: false,
};

const pod: Pod = {
  namespace: "dev",
  name: "web-0",
  uid: "uid-web-0",
  ips: ["10.244.0.5"],
  hostname: "web-0",
  subdomain: "web",
  labels: { app: "web" },
  phase: "Running",
  ready: true,
  terminating: false,
  reason: "",
  ports: [{ name: "web", port: 8080, protocol: "TCP" }],
};

describe("endpointsOfSlice", () => {
  const flags = (conditions: Record<string, boolean | null> | undefined) => {
    // The wire has nulls where the client's types say undefined.
    const [endpoint] = endpointsOfSlice(
      slice(["10.244.0.5"], { conditions }) as Parameters<typeof endpointsOfSlice>[0],
    );
    return endpoint && [endpoint.ready, endpoint.serving, endpoint.terminating];
  };

  it("counts missing and null conditions as ready, serving and not terminating", () => {
    assertEquals(flags(undefined), [true, true, false]);
    assertEquals(flags({}), [true, true, false]);
    assertEquals(flags({ ready: null, serving: null, terminating: null }), [true, true, false]);
  });

  it("keeps the conditions that are told", () => {
    assertEquals(flags({ ready: false }), [false, false, false]);
    assertEquals(flags({ ready: false, serving: true, terminating: true }), [false, true, true]);
    assertEquals(flags({ ready: true, serving: false, terminating: false }), [true, false, false]);
  });

  it("knows the pod and the host name", () => {
    const [endpoint] = endpointsOfSlice(slice(["10.244.0.5"], { hostname: "web-0", targetRef: targetRef("web-0") }));
    assertEquals(endpoint?.hostname, "web-0");
    assertEquals(endpoint?.pod, { namespace: "dev", name: "web-0", uid: "uid-web-0" });
    assertEquals(endpointsOfSlice(slice(["10.0.0.1"], { targetRef: { kind: "Node", name: "n" } }))[0]?.pod, undefined);
  });

  it("says 0 for a port that may be any", () => {
    const ports = [{ name: "http", port: null as unknown as number, protocol: "TCP" }]; // null on the wire
    assertEquals(endpointsOfSlice(slice(["10.0.0.1"], {}, ports))[0]?.ports[0]?.port, 0);
  });

  it("passes over slices of names and empty placeholders", () => {
    assertEquals(endpointsOfSlice({ ...slice(["db.example.com"]), addressType: "FQDN" }), []);
    // An empty placeholder has null lists on the wire.
    const empty = { metadata: {}, addressType: "IPv4", endpoints: null, ports: null };
    assertEquals(endpointsOfSlice(empty as unknown as Parameters<typeof endpointsOfSlice>[0]), []);
  });
});

describe("endpointsOfEndpoints", () => {
  it("reads ready and other addresses of every subset", () => {
    const endpoints = endpointsOfEndpoints({
      metadata: { namespace: "dev", name: "web" },
      subsets: [
        {
          addresses: [{ ip: "10.244.0.5", hostname: "web-0", targetRef: targetRef("web-0") }],
          notReadyAddresses: [{ ip: "10.244.0.6", targetRef: targetRef("web-1") }],
          ports: [{ name: "http", port: 8080 }],
        },
        { addresses: [{ ip: "192.168.0.9" }], ports: [{ name: "http", port: 9090 }] },
      ],
    });
    assertEquals(
      endpoints.map((
        { addresses, ready, serving, pod, ports },
      ) => [addresses[0], ready, serving, pod?.name, ports[0]?.port]),
      [
        ["10.244.0.5", true, true, "web-0", 8080],
        ["10.244.0.6", false, false, "web-1", 8080],
        ["192.168.0.9", true, true, undefined, 9090],
      ],
    );
  });
});

describe("endpointsOfPods", () => {
  const first = (service: Service, change: Partial<Pod> = {}) => endpointsOfPods(service, [{ ...pod, ...change }])[0];

  it("resolves named target ports by name and protocol, and takes numbers as they are", () => {
    const ports = [
      { name: "dns", port: 5353, protocol: "UDP" },
      { name: "web", port: 8888, protocol: "UDP" },
      ...pod.ports,
    ];
    assertEquals(first(service, { ports })?.ports, [
      { name: "http", port: 8080, protocol: "TCP" },
      { name: "dns", port: 5353, protocol: "UDP" },
      { name: "raw", port: 8081, protocol: "TCP" },
    ]);
  });

  it("leaves out the ports that the pod has no container port for", () => {
    assertEquals(first(service, { ports: [] })?.ports, [{ name: "raw", port: 8081, protocol: "TCP" }]);
  });

  it("counts a pod as ready when it is and does not terminate, or when unready ones are published", () => {
    const flags = (endpoint: Endpoint | undefined) => [endpoint?.ready, endpoint?.serving, endpoint?.terminating];
    assertEquals(flags(first(service)), [true, true, false]);
    assertEquals(flags(first(service, { ready: false })), [false, false, false]);
    assertEquals(flags(first(service, { terminating: true })), [false, true, true]);
    assertEquals(flags(first({ ...service, publishNotReadyAddresses: true }, { ready: false })), [true, false, false]);
  });

  it("gives a host name only to pods whose subdomain is the service", () => {
    assertEquals(first(service)?.hostname, "web-0");
    assertEquals(first(service, { subdomain: "other" })?.hostname, "");
  });

  it("has no endpoint for pods that have ended or have no address", () => {
    assertEquals(first(service, { phase: "Succeeded" }), undefined);
    assertEquals(first(service, { phase: "Failed" }), undefined);
    assertEquals(first(service, { ips: [] }), undefined);
  });
});
