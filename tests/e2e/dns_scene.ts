import { deployment, endpointSlice, type Manifest, service, statefulSet } from "./manifests.ts";

/**
 * Manifests with a service of every kind that DNS tells apart, in `namespace`; one more in `other`. Pods take the image
 * `localhost/workload:1`.
 */
export function dnsScene(namespace: string, other: string): unknown {
  const inNamespace = [
    deployment("web", { replicas: 2 }),
    service("web", { ports: [http, { name: "raw", port: 7000, targetPort: "raw" }] }),
    service("unnamed", { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] }),
    service("both", {
      selector: { app: "web" },
      ports: [
        { name: "dns", port: 53, protocol: "UDP", targetPort: 7001 },
        { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 7000 },
        { name: "twin", port: 54, protocol: "UDP", targetPort: 7001 },
        { name: "twin-tcp", port: 54, protocol: "TCP", targetPort: 7000 },
      ],
    }),
    statefulSet("db", { replicas: 2 }),
    service("db", { clusterIP: "None", ports: [http] }),
    service("portless", { clusterIP: "None", selector: { app: "web" } }),
    deployment("broken", { readinessProbe: { httpGet: { path: "/status/500", port: 8080 }, periodSeconds: 1 } }),
    service("idle", { clusterIP: "None", selector: { app: "broken" }, ports: [http] }),
    service("idle-cluster", { selector: { app: "broken" }, ports: [http] }),
    service("published", {
      clusterIP: "None",
      selector: { app: "broken" },
      publishNotReadyAddresses: true,
      ports: [http],
    }),
    service("alias", external(`web.${namespace}.svc.cluster.local`)),
    service("second", external(`alias.${namespace}.svc.cluster.local`)),
    service("pod-alias", external(`db-0.db.${namespace}.svc.cluster.local`)),
    service("headless-alias", external(`db.${namespace}.svc.cluster.local`)),
    service("elsewhere", external(`orders.${other}.svc.cluster.local`)),
    service("astray", external(`nothing.${namespace}.svc.cluster.local`)),
    service("ring", external(`ring.${namespace}.svc.cluster.local`)),
    service("outside", external("db.example.com")),
    service("manual", { selector: undefined, ports: [http] }),
    endpointSlice("manual", "a", [{ addresses: ["192.0.2.10"] }], [{ name: "http", port: 8080 }]),
    service("manual-headless", { selector: undefined, clusterIP: "None", ports: [http] }),
    endpointSlice("manual-headless", "a", [
      { addresses: ["192.0.2.20"], hostname: "box" },
      { addresses: ["192.0.2.21"], conditions: { ready: true } },
      { addresses: ["192.0.2.22"], conditions: { ready: false } },
    ], [{ name: "http", port: 8080 }, { name: "metrics", port: 9090 }]),
    endpointSlice("manual-headless", "b", [{ addresses: ["192.0.2.23"] }], [{ name: "http", port: 8081 }]),
    service("empty", { selector: undefined, ports: [http] }),
    service("empty-headless", { selector: undefined, clusterIP: "None", ports: [http] }),
  ];
  return {
    apiVersion: "v1",
    kind: "List",
    items: [
      ...inNamespace.map((object) => within(namespace, object)),
      within(other, service("orders", { ports: [http] })),
    ],
  };
}

const http = { name: "http", port: 80, targetPort: "http" };

function within(namespace: string, object: Manifest): unknown {
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function external(externalName: string): { readonly selector: undefined; readonly [field: string]: unknown } {
  return { selector: undefined, type: "ExternalName", externalName };
}
