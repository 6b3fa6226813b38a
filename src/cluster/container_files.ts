import type {
  V1DownwardAPIVolumeFile,
  V1KeyToPath,
  V1Volume,
  V1VolumeMount,
  V1VolumeProjection,
} from "@kubernetes/client-node";
import type { ConfigKind, ConfigReader } from "./config_reader.ts";
import { expandReferences } from "./expand_references.ts";
import type { FoundContainer } from "./find_container.ts";
import type { Losses } from "./losses.ts";
import { podField, resourceField } from "./pod_field.ts";

/** A file of a container. */
export interface ContainerFile {
  readonly bytes: Uint8Array;
  /** Whether its owner may run it. */
  readonly executable: boolean;
}

/** The credentials of a pod are for the pod. */
const credentials = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * The files that the kubelet mounts into a container from ConfigMaps, Secrets and the pod's own fields, with `items`, `subPath` and `optional` followed, by their
 * paths in the container: absolute, of parts between single slashes. `losses` gets to know what cannot be had.
 * `variables` are those of the container, for `subPathExpr`. Other volumes are not looked at. Rejects with an ApiError as {@linkcode ConfigReader} does.
 */
export async function containerFiles(
  found: FoundContainer,
  variables: ReadonlyMap<string, string>,
  reader: ConfigReader,
  losses: Losses,
): Promise<ReadonlyMap<string, ContainerFile>> {
  const volumes = new Map(found.spec.volumes?.map((volume) => [volume.name, volume]));
  const files = new Map<string, ContainerFile>();
  const mounts = (found.container.volumeMounts ?? []).map((mount) => ({ mount, place: normal(mount.mountPath) }));
  // As the container runtime does it: outer folders first, and what is mounted covers what was there.
  for (const { mount, place } of mounts.toSorted((a, b) => depth(a.place) - depth(b.place))) {
    const volume = volumes.get(mount.name);
    if (!volume || place === credentials) continue;
    for (const path of [...files.keys()]) if (path === place || path.startsWith(`${place}/`)) files.delete(path);
    const contents = await volumeFiles(volume, found, reader, losses);
    const part = normal(subPath(mount, variables));
    for (const [path, file] of contents) {
      const at = normal(path);
      if (at === part) files.set(place, file);
      else if (part === "" || at.startsWith(`${part}/`)) files.set(`${place}${at.slice(part.length)}`, file);
    }
  }
  return files;
}

/** The files of a volume by their paths in it; empty for volumes of other kinds. */
async function volumeFiles(
  { configMap, secret, downwardAPI, projected }: V1Volume,
  found: FoundContainer,
  reader: ConfigReader,
  losses: Losses,
): Promise<ReadonlyMap<string, ContainerFile>> {
  const sources: V1VolumeProjection[] = projected?.sources ??
    [{ configMap, secret: secret && { ...secret, name: secret.secretName }, downwardAPI }];
  const mode = configMap?.defaultMode ?? secret?.defaultMode ?? downwardAPI?.defaultMode ?? projected?.defaultMode;
  const files = new Map<string, ContainerFile>();
  for (const source of sources) {
    for (const kind of ["ConfigMap", "Secret"] as const) {
      const reference = kind === "Secret" ? source.secret : source.configMap;
      if (!reference) continue;
      for (const [path, file] of await objectFiles(kind, reference, mode, reader, losses)) files.set(path, file);
    }
    for (const item of source.downwardAPI?.items ?? []) {
      const text = fieldText(item, found);
      if (text === undefined) losses.addOther(`The file "${item.path}" is left out: only the pod itself can know it`);
      else {
        files.set(item.path, { bytes: new TextEncoder().encode(text), executable: isExecutable(item.mode ?? mode) });
      }
    }
  }
  return files;
}

async function objectFiles(
  kind: ConfigKind,
  { name = "", items, optional }: {
    readonly name?: string;
    readonly items?: readonly V1KeyToPath[];
    readonly optional?: boolean;
  },
  mode: number | undefined,
  reader: ConfigReader,
  losses: Losses,
): Promise<ReadonlyMap<string, ContainerFile>> {
  const contents = await reader.read(kind, name);
  const files = new Map<string, ContainerFile>();
  if (typeof contents === "string") {
    const what = items?.map(({ path }) => `the file "${path}"`).join(", ") || "all of its files";
    if (contents !== "absent" || !optional) losses.add(kind, name, contents, what);
    return files;
  }
  const wanted: readonly V1KeyToPath[] = items?.length
    ? items
    : [...contents.keys()].map((key) => ({ key, path: key }));
  for (const { key, path, mode: own } of wanted) {
    const bytes = contents.get(key);
    if (bytes) files.set(path, { bytes, executable: isExecutable(own ?? mode) });
    else if (!optional) losses.add(kind, name, { missingKey: key }, `the file "${path}"`);
  }
  return files;
}

function fieldText(
  { fieldRef, resourceFieldRef }: V1DownwardAPIVolumeFile,
  found: FoundContainer,
): string | undefined {
  return fieldRef ? podField(fieldRef.fieldPath, found) : resourceFieldRef && resourceField(resourceFieldRef, found);
}

function subPath({ subPath = "", subPathExpr }: V1VolumeMount, variables: ReadonlyMap<string, string>): string {
  return subPathExpr ? expandReferences(subPathExpr, (name) => variables.get(name)) : subPath;
}

function isExecutable(mode: number | undefined): boolean {
  return ((mode ?? 0o644) & 0o100) !== 0;
}

/** `/etc/config` for `/etc//config/`; empty for the root. Parts like `..` are whoever writes the files' to refuse. */
function normal(path: string): string {
  return path.split("/").filter((part) => part !== "" && part !== ".").map((part) => `/${part}`).join("");
}

function depth(path: string): number {
  return path.split("/").length;
}
