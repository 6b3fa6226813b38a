import type { Manifest } from "./kube_object.ts";

/** A node that is well: 8 cores, 16 GiB. */
export function nodeManifest(name: string, address: string): Manifest {
  const room = { cpu: "8", memory: "16Gi", pods: "110" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: { "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" },
    },
    spec: {},
    status: {
      conditions: [{ type: "Ready", status: "True", reason: "KubeletReady" }],
      addresses: [{ type: "InternalIP", address }, { type: "Hostname", address: name }],
      capacity: room,
      allocatable: room,
    },
  };
}
