import { node } from "./node.ts";
import type { ContainerSpec, PodObject } from "./pod_object.ts";
import type { Store } from "./store.ts";

/**
 * The variables of a container, `envFrom` and `valueFrom` followed. Throws an Error with the message of Kubernetes' `CreateContainerConfigError`
 * where something is missing.
 */
export function containerEnvironment(
  container: ContainerSpec,
  pod: PodObject,
  ip: string,
  store: Store,
): Record<string, string> {
  const namespace = pod.metadata.namespace ?? "";
  const data = (kind: "configmap" | "secret", name: string): Readonly<Record<string, string>> | undefined => {
    const object = store.get(`${kind}s`, namespace, name);
    if (!object) return undefined;
    const entries = Object.entries((object.data ?? {}) as Record<string, string>); // admission has made it so
    if (kind === "configmap") return Object.fromEntries(entries);
    return Object.fromEntries(
      entries.map(([key, value]) => [key, new TextDecoder().decode(Uint8Array.fromBase64(value))]),
    );
  };
  const environment: Record<string, string> = { HOSTNAME: pod.metadata.name };
  for (const { prefix = "", configMapRef, secretRef } of container.envFrom ?? []) {
    const reference = configMapRef ?? secretRef;
    const kind = configMapRef ? "configmap" : "secret";
    const found = data(kind, reference?.name ?? "");
    if (!found && !reference?.optional) throw new Error(`${kind} "${reference?.name}" not found`);
    for (const [key, value] of Object.entries(found ?? {})) environment[prefix + key] = value;
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const reference = valueFrom?.configMapKeyRef ?? valueFrom?.secretKeyRef;
    if (reference) {
      const [kind, Kind] = valueFrom?.configMapKeyRef
        ? ["configmap", "ConfigMap"] as const
        : ["secret", "Secret"] as const;
      const found = data(kind, reference.name);
      const text = found?.[reference.key];
      if (text !== undefined) environment[name] = text;
      else if (!found && !reference.optional) throw new Error(`${kind} "${reference.name}" not found`);
      else if (!reference.optional) {
        throw new Error(`couldn't find key ${reference.key} in ${Kind} ${namespace}/${reference.name}`);
      }
    } else if (valueFrom?.fieldRef) environment[name] = field(pod, ip, valueFrom.fieldRef.fieldPath);
    else environment[name] = expand(value ?? "", environment);
  }
  return environment;
}

/** Replaces `$(NAME)` as Kubernetes does in `env`, `command` and `args`; `$$(NAME)` stays `$(NAME)`, and what is unknown stays as it is. */
export function expand(text: string, environment: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([A-Za-z_][\w.-]*)\)/g, (found, name?: string) => {
    return name === undefined ? "$" : environment[name] ?? found;
  });
}

function field(pod: PodObject, ip: string, path: string): string {
  const [, map, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
  if (map && key) return pod.metadata[map as "labels" | "annotations"]?.[key] ?? ""; // the expression says so
  switch (path) {
    case "metadata.name":
      return pod.metadata.name;
    case "metadata.namespace":
      return pod.metadata.namespace ?? "";
    case "metadata.uid":
      return pod.metadata.uid;
    case "spec.nodeName":
      return pod.spec.nodeName ?? node.name;
    case "spec.serviceAccountName":
      return String(pod.spec.serviceAccountName ?? "default");
    case "status.podIP":
      return ip;
    case "status.hostIP":
      return node.address;
    default:
      throw new Error(`unsupported fieldPath: ${path}`);
  }
}
