import type { V1ResourceFieldSelector } from "@kubernetes/client-node";
import type { FoundContainer } from "./find_container.ts";
import { parseQuantity } from "./parse_quantity.ts";

/**
 * What a `fieldRef` stands for, as the kubelet writes it; whole maps of labels as lines of `key="value"`. Undefined where only a pod has it
 * and there is none, and for fields that are unknown. Not the pod's own addresses, which mean nothing elsewhere.
 */
export function podField(path: string, { namespace, metadata, spec, pod }: FoundContainer): string | undefined {
  const [, map, key] = /^metadata\.(labels|annotations)(?:\['(.+)'\])?$/s.exec(path) ?? [];
  if (map) {
    const entries = (map === "labels" ? metadata.labels : metadata.annotations) ?? {};
    if (key === undefined) return lines(entries);
    return Object.hasOwn(entries, key) ? entries[key] : "";
  }
  switch (path) {
    case "metadata.name":
      return pod?.metadata?.name;
    case "metadata.namespace":
      return namespace;
    case "metadata.uid":
      return pod?.metadata?.uid;
    case "spec.nodeName":
      return pod?.spec?.nodeName;
    case "spec.serviceAccountName":
      return spec.serviceAccountName ?? "default";
    case "status.hostIP":
      return pod?.status?.hostIP;
    case "status.hostIPs":
      return pod?.status?.hostIPs?.map(({ ip }) => ip).join(",");
    default:
      return undefined;
  }
}

/**
 * What a `resourceFieldRef` stands for: a limit or request in units of its divisor, rounded up. Undefined where the container has no such:
 * in a pod that would be what its node has, which is not this machine.
 */
export function resourceField(
  { containerName, resource, divisor = "1" }: V1ResourceFieldSelector,
  { container, spec }: FoundContainer,
): string | undefined {
  const all = [...spec.containers, ...spec.initContainers ?? []];
  const of = containerName ? all.find(({ name }) => name === containerName) : container;
  const [, kind, name = ""] = /^(limits|requests)\.(.+)$/.exec(resource) ?? [];
  const amount = parseQuantity((kind === "limits" ? of?.resources?.limits : of?.resources?.requests)?.[name] ?? "");
  const unit = parseQuantity(divisor) || 1; // "0" stands for none
  return amount === undefined ? undefined : String(Math.ceil(Number((amount / unit).toPrecision(15))));
}

/** Sorted, each value quoted as Go does. */
function lines(entries: Readonly<Record<string, string>>): string {
  return Object.entries(entries).sort(([a], [b]) => a < b ? -1 : 1).map(([key, value]) =>
    `${key}=${JSON.stringify(value)}`
  ).join("\n");
}
