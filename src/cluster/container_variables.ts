import type { V1EnvVar, V1EnvVarSource } from "@kubernetes/client-node";
import type { ConfigKind, ConfigReader } from "./config_reader.ts";
import { expandReferences } from "./expand_references.ts";
import type { FoundContainer } from "./find_container.ts";
import type { Losses } from "./losses.ts";
import { podField, resourceField } from "./pod_field.ts";

/** What stands for the pod's own address: a program elsewhere can neither listen there nor should others be sent there for it. */
const ownAddress = "127.0.0.1";

/**
 * The variables that the kubelet makes for a container from its `envFrom` and `env`, in that order, the later one winning; not those that its
 * image brings. `services` are the variables of services, to which `$(NAME)` may refer; they are not among the result. The pod's own addresses
 * are replaced by this machine's. What cannot be had is left out; `losses` gets to know. Rejects with an ApiError as {@linkcode ConfigReader} does.
 */
export async function containerVariables(
  found: FoundContainer,
  services: Readonly<Record<string, string>>,
  reader: ConfigReader,
  losses: Losses,
): Promise<ReadonlyMap<string, string>> {
  const variables = new Map<string, string>();
  for (const { prefix = "", configMapRef, secretRef } of found.container.envFrom ?? []) {
    const reference = configMapRef ?? secretRef;
    if (!reference) continue;
    const kind = configMapRef ? "ConfigMap" : "Secret";
    const name = reference.name ?? "";
    const contents = await reader.read(kind, name);
    if (typeof contents === "string") {
      if (contents !== "absent" || !reference.optional) losses.add(kind, name, contents, "all of its variables");
      continue;
    }
    for (const [key, bytes] of contents) {
      const text = asVariable(bytes);
      // Kubelets before 1.32 skipped names that begin with a digit; nobody misses their absence.
      if (text !== undefined) variables.set(prefix + key, text);
    }
  }
  const ofServices = new Map(Object.entries(services));
  const known = (name: string) => variables.get(name) ?? ofServices.get(name);
  const addresses: string[] = [];
  for (const each of found.container.env ?? []) {
    if (/^status\.podIPs?$/.test(each.valueFrom?.fieldRef?.fieldPath ?? "")) {
      variables.set(each.name, ownAddress);
      addresses.push(each.name);
      continue;
    }
    const value = each.value || !each.valueFrom
      ? expandReferences(each.value ?? "", known)
      : await follow(each, each.valueFrom, found, reader, losses);
    if (value !== undefined) variables.set(each.name, value);
  }
  if (addresses.length > 0) {
    losses.addOther(
      `${ownAddress} stands for the address of the pod, which is not this machine's: ${addresses.join(", ")}`,
    );
  }
  return variables;
}

async function follow(
  { name }: V1EnvVar,
  { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef }: V1EnvVarSource,
  found: FoundContainer,
  reader: ConfigReader,
  losses: Losses,
): Promise<string | undefined> {
  const reference = configMapKeyRef ?? secretKeyRef;
  if (reference) {
    const kind: ConfigKind = configMapKeyRef ? "ConfigMap" : "Secret";
    const object = reference.name ?? "";
    const contents = await reader.read(kind, object);
    if (typeof contents === "string") {
      if (contents !== "absent" || !reference.optional) losses.add(kind, object, contents, name);
      return undefined;
    }
    const bytes = contents.get(reference.key);
    const value = bytes && asVariable(bytes);
    if (!bytes && !reference.optional) losses.add(kind, object, { missingKey: reference.key }, name);
    if (bytes && value === undefined) losses.addOther(`${name} is left out: what it holds is no text`);
    return value;
  }
  const value = fieldRef
    ? podField(fieldRef.fieldPath, found)
    : resourceFieldRef && resourceField(resourceFieldRef, found);
  if (value !== undefined) return value;
  const source = fieldRef?.fieldPath ?? resourceFieldRef?.resource;
  losses.addOther(
    source === undefined
      ? `${name} is left out: only the pod itself can know it`
      : `${name} is left out: ${
        found.pod ? `its pod has no ${source}` : `there is no pod at present to tell ${source}`
      }`,
  );
}

/** Undefined for what no variable can hold. */
function asVariable(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}
