import type { KubeObject } from "./kube_object.ts";
import type { ContainerSpec, PodObject } from "./pod_object.ts";
import { formatQuantity, quantity } from "./quantity.ts";
import type { Resource } from "./resource_table.ts";
import type { Store } from "./store.ts";

type Amounts = Readonly<Record<string, number>>;

/** Why a new object is more than a ResourceQuota of its namespace allows, in Kubernetes' words; undefined if it is not. */
export function exceededQuota(resource: Resource, object: KubeObject, store: Store): string | undefined {
  const namespace = object.metadata.namespace ?? "";
  for (const quota of store.list("resourcequotas", namespace)) {
    const hard = Object.entries((quota.spec as { hard?: Record<string, string> } | undefined)?.hard ?? {}); // of a ResourceQuota
    const requested = usage(resource, object);
    const concerned = hard.filter(([name]) => name in requested);
    const missing = concerned.filter(([name]) => resource.kind === "Pod" && isCompute(name) && requested[name] === 0);
    if (missing.length > 0) {
      const containers = (object as PodObject).spec.containers.map(({ name }) => name).join(","); // its kind is Pod
      const what = missing.map(([name]) => `${name} for: ${containers}`).join("; ");
      return `failed quota: ${quota.metadata.name}: must specify ${what}`;
    }
    const all = store.list(resource.key, namespace).filter(counts).map((other) => usage(resource, other));
    const used = (name: string) => all.reduce((sum, amounts) => sum + (amounts[name] ?? 0), 0);
    const over = concerned.filter(([name, limit]) => used(name) + requested[name]! > quantity(limit) + 1e-9);
    if (over.length === 0) continue;
    const list = (amount: (name: string, limit: string) => string) =>
      over.map(([name, limit]) => `${name}=${amount(name, limit)}`).join(",");
    const asked = list((name) => formatQuantity(requested[name]!));
    const inUse = list((name) => formatQuantity(used(name)));
    return `exceeded quota: ${quota.metadata.name}, requested: ${asked}, used: ${inUse}, limited: ${list((_, l) => l)}`;
  }
  return undefined;
}

function isCompute(name: string): boolean {
  return /cpu|memory/.test(name);
}

/** Pods that have ended do not count. */
function counts(object: KubeObject): boolean {
  const { phase } = (object.status ?? {}) as { phase?: string }; // pods have one, nothing else has one of these
  return phase !== "Succeeded" && phase !== "Failed";
}

function usage(resource: Resource, object: KubeObject): Amounts {
  const count = { [resource.key]: 1, [`count/${resource.key}`]: 1 };
  if (resource.kind !== "Pod") return count;
  const containers = (object as PodObject).spec.containers; // its kind is Pod
  const sum = (of: (container: ContainerSpec) => unknown) =>
    containers.reduce((total, container) => total + quantity(of(container)), 0);
  const cpu = sum(({ resources: r }) => r?.requests?.cpu ?? r?.limits?.cpu);
  const memory = sum(({ resources: r }) => r?.requests?.memory ?? r?.limits?.memory);
  return {
    ...count,
    cpu,
    memory,
    "requests.cpu": cpu,
    "requests.memory": memory,
    "limits.cpu": sum(({ resources: r }) => r?.limits?.cpu),
    "limits.memory": sum(({ resources: r }) => r?.limits?.memory),
  };
}
