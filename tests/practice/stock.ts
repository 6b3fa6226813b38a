import type { Manifest } from "./kube_object.ts";
import { serviceManifests } from "./service_manifests.ts";

const http = [{ name: "http", port: 80, targetPort: "http" }];

/**
 * The objects of the stock scene, for tests and the demo; `practice.apply(...stock())`.
 *
 * Namespace `dev`:
 * - `orders` 80 (http) and `stock` 80 (http), 2 pods each;
 * - `mysql` 3306, one pod whose program speaks the workload's TCP language (`hello`, `echo`, `source N` …);
 * - `web` headless, StatefulSet of 2: `web-0.web`, `web-1.web`, 8080;
 * - `search` 80: no pod is ready (readiness fails);
 * - `billing` 80: its pod crashes again and again;
 * - `report` 80: its image cannot be pulled;
 * - `partner` ExternalName → `orders.shop.svc.cluster.local`; `mail` ExternalName → `mail.example.com`;
 * - `manual` 80: no selector, no endpoints; `udp` 7001/UDP.
 *
 * Namespace `shop`: `orders` 80 (http), 1 pod.
 */
export function stock(): Manifest[] {
  const service = (name: string, spec: Record<string, unknown>): Manifest => {
    return { apiVersion: "v1", kind: "Service", metadata: { namespace: "dev", name }, spec };
  };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "dev" } },
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
    ...serviceManifests({ namespace: "dev", name: "orders", ports: http, replicas: 2 }),
    ...serviceManifests({ namespace: "dev", name: "stock", ports: http, replicas: 2 }),
    ...serviceManifests({
      namespace: "dev",
      name: "mysql",
      ports: [{ name: "mysql", port: 3306 }],
      containerPorts: [{ name: "mysql", port: 3306 }],
    }),
    ...serviceManifests({
      namespace: "dev",
      name: "web",
      kind: "Headless",
      ports: [{ name: "http", port: 8080 }],
      replicas: 2,
    }),
    ...serviceManifests({
      namespace: "dev",
      name: "search",
      ports: http,
      podAnnotations: { "practice/state": "not-ready" },
    }),
    ...serviceManifests({
      namespace: "dev",
      name: "billing",
      ports: http,
      podAnnotations: { "practice/state": "crash-loop" },
    }),
    ...serviceManifests({ namespace: "dev", name: "report", ports: http, image: "registry.example/report:7" }),
    service("partner", { type: "ExternalName", externalName: "orders.shop.svc.cluster.local" }),
    service("mail", { type: "ExternalName", externalName: "mail.example.com" }),
    service("manual", { ports: [{ port: 80 }] }),
    service("udp", { selector: { app: "orders" }, ports: [{ name: "echo", port: 7001, protocol: "UDP" }] }),
    ...serviceManifests({ namespace: "shop", name: "orders", ports: http }),
  ];
}
