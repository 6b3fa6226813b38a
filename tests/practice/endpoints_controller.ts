import { isIPv6 } from "node:net";
import type { KubeObject, Manifest } from "./kube_object.ts";
import type { PodObject } from "./pod_object.ts";
import { podReady } from "./pod_ready.ts";
import type { Registry } from "./registry.ts";
import { resourceTable } from "./resource_table.ts";
import { matchesLabels } from "./selector.ts";
import type { ServiceObject } from "./service_object.ts";
import type { Store } from "./store.ts";
import { targetPort } from "./target_port.ts";

const managedBy = "endpointslice.kubernetes.io/managed-by";
const manager = "endpointslice-controller.k8s.io";
const sliceResource = resourceTable.get("endpointslices.discovery.k8s.io")!;
const endpointsResource = resourceTable.get("endpoints")!;

/** Writes the EndpointSlices and Endpoints of Services with a selector. */
export class EndpointsController {
  readonly #store: Store;
  readonly #registry: Registry;
  readonly #slices: boolean;

  /** `slices` false writes Endpoints only. */
  constructor(store: Store, registry: Registry, slices: boolean) {
    this.#store = store;
    this.#registry = registry;
    this.#slices = slices;
  }

  reconcile(namespace: string): void {
    const pods = this.#store.list<PodObject>("pods", namespace);
    for (const service of this.#store.list<ServiceObject>("services", namespace)) {
      const selector = service.spec.selector;
      if (!selector || service.spec.type === "ExternalName") continue;
      const selected = pods.filter((pod) =>
        matchesLabels(selector, pod.metadata.labels) && pod.status.podIP && alive(pod)
      );
      if (this.#slices) this.#writeSlices(service, selected);
      this.#writeEndpoints(service, selected);
    }
  }

  #writeSlices(service: ServiceObject, pods: readonly PodObject[]): void {
    const { namespace = "", name } = service.metadata;
    const wanted = new Map(slicesOf(service, pods).map((slice) => [sliceKey(slice), slice]));
    for (const slice of this.#store.list("endpointslices.discovery.k8s.io", namespace)) {
      const labels = slice.metadata.labels ?? {};
      if (labels["kubernetes.io/service-name"] !== name || labels[managedBy] !== manager) continue;
      const next = wanted.get(sliceKey(slice));
      wanted.delete(sliceKey(slice));
      if (!next) this.#registry.delete(sliceResource, namespace, slice.metadata.name);
      else if (JSON.stringify(next.endpoints) !== JSON.stringify(slice.endpoints)) {
        this.#registry.update(sliceResource, namespace, slice.metadata.name, { ...slice, endpoints: next.endpoints });
      }
    }
    for (const slice of wanted.values()) this.#registry.create(sliceResource, namespace, slice);
  }

  #writeEndpoints(service: ServiceObject, pods: readonly PodObject[]): void {
    const { namespace = "", name } = service.metadata;
    const subsets = subsetsOf(service, pods);
    const old = this.#store.get("endpoints", namespace, name);
    const labels = service.metadata.labels;
    const manifest: Manifest = { apiVersion: "v1", kind: "Endpoints", metadata: { name, namespace, labels }, subsets };
    if (!old) {
      const owner = { ...manifest, metadata: { ...manifest.metadata, ownerReferences: [ownerOf(service)] } };
      this.#registry.create(endpointsResource, namespace, owner);
    } else if (JSON.stringify(old.subsets) !== JSON.stringify(subsets)) {
      this.#registry.update(endpointsResource, namespace, name, { ...old, subsets });
    }
  }
}

function alive(pod: PodObject): boolean {
  return pod.status.phase !== "Succeeded" && pod.status.phase !== "Failed";
}

/** What tells a service's slices apart: their family and ports. */
function sliceKey(slice: { readonly [field: string]: unknown }): string {
  return JSON.stringify([slice.addressType, slice.ports]);
}

function slicesOf(service: ServiceObject, pods: readonly PodObject[]): Manifest[] {
  const slices = new Map<string, Manifest & { endpoints: unknown[] | null }>();
  const { namespace, name } = service.metadata;
  const slice = (addressType: string, ports: unknown[] | null, endpoints: unknown[] | null) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      namespace,
      generateName: `${name}-`,
      labels: {
        ...service.metadata.labels,
        "kubernetes.io/service-name": name,
        [managedBy]: manager,
        ...(service.spec.clusterIP === "None" ? { "service.kubernetes.io/headless": "" } : {}),
      },
      ownerReferences: [ownerOf(service)],
    },
    addressType,
    endpoints,
    ports,
  });
  for (const addressType of service.spec.ipFamilies ?? ["IPv4"]) {
    const before = slices.size;
    for (const pod of pods) {
      const address = pod.status.podIPs?.map(({ ip }) => ip).find((ip) => isIPv6(ip) === (addressType === "IPv6"));
      if (!address) continue;
      const empty = slice(addressType, portsOf(service, pod), []);
      const key = sliceKey(empty);
      const found = slices.get(key) ?? empty;
      slices.set(key, found);
      found.endpoints!.push(endpointOf(service, pod, address));
    }
    // The placeholder that the real controller leaves where nothing was selected; empty lists come back as null.
    if (slices.size === before) {
      const placeholder = slice(addressType, null, null);
      slices.set(sliceKey(placeholder), placeholder);
    }
  }
  return [...slices.values()];
}

function portsOf(service: ServiceObject, pod: PodObject): { name: string; port: number; protocol: string }[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const number = targetPort(port, pod);
    return number === undefined ? [] : [{ name: port.name ?? "", port: number, protocol: port.protocol }];
  });
}

function endpointOf(service: ServiceObject, pod: PodObject, address: string) {
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const serving = podReady(pod);
  return {
    addresses: [address],
    conditions: {
      ready: service.spec.publishNotReadyAddresses || (serving && !terminating),
      serving,
      terminating,
    },
    ...hostnameOf(service, pod),
    nodeName: pod.spec.nodeName,
    targetRef: refOf(pod),
  };
}

/** The `subsets` of the older Endpoints: pods by their ports, ready and not. */
function subsetsOf(service: ServiceObject, pods: readonly PodObject[]): unknown[] | undefined {
  const subsets = new Map<string, { addresses?: unknown[]; notReadyAddresses?: unknown[]; ports: unknown[] }>();
  for (const pod of pods) {
    const publish = service.spec.publishNotReadyAddresses;
    if (pod.metadata.deletionTimestamp && !publish) continue;
    const ports = portsOf(service, pod).map(({ name, ...rest }) => ({ ...(name ? { name } : {}), ...rest }));
    const subset = subsets.get(JSON.stringify(ports)) ?? { ports };
    subsets.set(JSON.stringify(ports), subset);
    const address = {
      ip: pod.status.podIP,
      ...hostnameOf(service, pod),
      nodeName: pod.spec.nodeName,
      targetRef: refOf(pod),
    };
    if (publish || podReady(pod)) (subset.addresses ??= []).push(address);
    else (subset.notReadyAddresses ??= []).push(address);
  }
  return subsets.size ? [...subsets.values()] : undefined;
}

function hostnameOf(service: ServiceObject, pod: PodObject): { hostname?: string } {
  const { hostname, subdomain } = pod.spec;
  return hostname && subdomain === service.metadata.name ? { hostname } : {};
}

function refOf(pod: PodObject) {
  const { namespace, name, uid } = pod.metadata;
  return { kind: "Pod", namespace, name, uid };
}

function ownerOf(service: KubeObject) {
  return {
    apiVersion: "v1",
    kind: "Service",
    name: service.metadata.name,
    uid: service.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}
