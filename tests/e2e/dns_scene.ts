/**
 * Manifests with a service of every kind that DNS tells apart, in `namespace`; one more in `other`. Pods take the image
 * `localhost/workload:1`.
 */
export function dnsScene(namespace: string, other: string): unknown {
  const inNamespace = [
    deployment("web", 2),
    service("web", { selector: { app: "web" }, ports: [http, { name: "raw", port: 7000, targetPort: "raw" }] }),
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
    statefulSet("db", 2),
    service("db", { clusterIP: "None", selector: { app: "db" }, ports: [http] }),
    service("portless", { clusterIP: "None", selector: { app: "web" } }),
    deployment("broken", 1, { httpGet: { path: "/status/500", port: 8080 }, periodSeconds: 1 }),
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
    service("manual", { ports: [http] }),
    endpointSlice("manual", "a", [{ addresses: ["192.0.2.10"] }], [{ name: "http", port: 8080 }]),
    service("manual-headless", { clusterIP: "None", ports: [http] }),
    endpointSlice("manual-headless", "a", [
      { addresses: ["192.0.2.20"], hostname: "box" },
      { addresses: ["192.0.2.21"], conditions: { ready: true } },
      { addresses: ["192.0.2.22"], conditions: { ready: false } },
    ], [{ name: "http", port: 8080 }, { name: "metrics", port: 9090 }]),
    endpointSlice("manual-headless", "b", [{ addresses: ["192.0.2.23"] }], [{ name: "http", port: 8081 }]),
    service("empty", { ports: [http] }),
    service("empty-headless", { clusterIP: "None", ports: [http] }),
  ];
  return {
    apiVersion: "v1",
    kind: "List",
    items: [
      ...inNamespace.map((object) => within(namespace, object)),
      within(other, service("orders", { selector: { app: "orders" }, ports: [http] })),
    ],
  };
}

interface Manifest {
  readonly metadata: Readonly<Record<string, unknown>>;
}

const http = { name: "http", port: 80, targetPort: "http" };

function within(namespace: string, object: Manifest): Manifest {
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function service(name: string, spec: unknown): Manifest & Record<string, unknown> {
  return { apiVersion: "v1", kind: "Service", metadata: { name }, spec };
}

function external(externalName: string): unknown {
  return { type: "ExternalName", externalName };
}

function endpointSlice(name: string, suffix: string, endpoints: unknown, ports: unknown): Manifest {
  return {
    ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: "IPv4", endpoints, ports },
    metadata: { name: `${name}-${suffix}`, labels: { "kubernetes.io/service-name": name } },
  };
}

function deployment(app: string, replicas: number, readinessProbe?: unknown): Manifest {
  const spec = { replicas, selector: { matchLabels: { app } }, template: template(app, readinessProbe) };
  return { ...{ apiVersion: "apps/v1", kind: "Deployment" }, metadata: { name: app }, ...{ spec } };
}

function statefulSet(app: string, replicas: number): Manifest {
  const spec = { replicas, serviceName: app, selector: { matchLabels: { app } }, template: template(app) };
  return { ...{ apiVersion: "apps/v1", kind: "StatefulSet" }, metadata: { name: app }, ...{ spec } };
}

function template(app: string, readinessProbe?: unknown): unknown {
  const ports = [{ name: "http", containerPort: 8080 }, { name: "raw", containerPort: 7000 }];
  const container = { name: app, image: "localhost/workload:1", args: ["serve"], ports, readinessProbe };
  return { metadata: { labels: { app } }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } };
}
