import type { Manifest } from "./kube_object.ts";
import { nodeManifest } from "./node_manifest.ts";
import { node } from "./node.ts";

/** What a cluster holds before anybody has used it; without the slice of `kubernetes` where there are no slices. */
export function firstObjects(endpointSlices: boolean): Manifest[] {
  const namespace = "default";
  const ports = [{ name: "https", port: 443, targetPort: 6443 }];
  const endpoint = [{ name: "https", port: 6443, protocol: "TCP" }];
  const metadata = { name: "kubernetes", namespace };
  const slice: Manifest = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": "kubernetes" } },
    addressType: "IPv4",
    endpoints: [{ addresses: [node.address], conditions: { ready: true } }],
    ports: endpoint,
  };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "kube-system" } },
    nodeManifest(node.name, node.address),
    { apiVersion: "v1", kind: "Service", metadata, spec: { clusterIP: "10.96.0.1", ports } },
    {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata,
      subsets: [{ addresses: [{ ip: node.address }], ports: endpoint }],
    },
    ...(endpointSlices ? [slice] : []),
  ];
}
