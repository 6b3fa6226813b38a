import type { KubeObject } from "./kube_object.ts";
import type { ContainerSpec, PodObject } from "./pod_object.ts";
import type { Store } from "./store.ts";

interface KeyToPath {
  readonly key: string;
  readonly path: string;
  readonly mode?: number;
}

interface Source {
  readonly name?: string;
  readonly secretName?: string;
  readonly items?: readonly KeyToPath[];
  readonly defaultMode?: number;
  readonly optional?: boolean;
}

/** The volumes of one pod as files in a temporary folder: ConfigMaps, Secrets and `emptyDir`, as they are when the pod starts. */
export class PodFiles implements AsyncDisposable {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /** Rejects with what the kubelet would say of a volume that cannot be had. */
  static async create(pod: PodObject, store: Store): Promise<PodFiles | undefined> {
    const volumes = (pod.spec.volumes ?? []) as readonly Readonly<Record<string, unknown>>[]; // a list of volumes, each looked at below
    if (volumes.length === 0) return undefined;
    const contents = volumes.map((volume) => ({ name: String(volume.name), files: filesOf(volume, pod, store) }));
    const root = (await Deno.makeTempDir({ prefix: "practice-pod-" })).replaceAll("\\", "/");
    for (const { name, files } of contents) {
      await Deno.mkdir(`${root}/${name}`);
      for (const { path, data, mode } of files) {
        const file = `${root}/${name}/${path}`;
        await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
        await Deno.writeFile(file, data, { mode });
      }
    }
    return new PodFiles(root);
  }

  /** What is mounted into a container: path there, path here. */
  mounts(container: ContainerSpec): Map<string, string> {
    return new Map(
      (container.volumeMounts ?? []).map(({ name, mountPath, subPath }) => {
        return [mountPath.replace(/\/$/, ""), `${this.#root}/${name}${subPath ? `/${subPath}` : ""}`];
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#root, { recursive: true });
  }
}

function filesOf(volume: Readonly<Record<string, unknown>>, pod: PodObject, store: Store) {
  if (volume.emptyDir) return [];
  const source = (volume.configMap ?? volume.secret) as Source | undefined; // which it is is all that differs
  if (!source) {
    throw new Error(`MountVolume.SetUp failed for volume "${volume.name}" : not a kind of the practice cluster`);
  }
  const [resource, kind] = volume.secret ? ["secrets", "secret"] : ["configmaps", "configmap"];
  const name = source.secretName ?? source.name ?? "";
  const object = store.get(resource!, pod.metadata.namespace ?? "", name);
  if (!object && source.optional) return [];
  const failed = (why: string) => new Error(`MountVolume.SetUp failed for volume "${volume.name}" : ${why}`);
  if (!object) throw failed(`${kind} "${name}" not found`);
  const data = dataOf(object);
  const items = source.items ?? [...data.keys()].map((key): KeyToPath => ({ key, path: key }));
  return items.map(({ key, path, mode }) => {
    const bytes = data.get(key);
    if (!bytes) throw failed(`references non-existent ${kind} key: ${key}`);
    return { path, data: bytes, mode: mode ?? source.defaultMode ?? 0o644 };
  });
}

function dataOf(object: KubeObject): Map<string, Uint8Array> {
  const data = Object.entries((object.data ?? {}) as Record<string, string>); // admission has made it so
  const binary = Object.entries((object.binaryData ?? {}) as Record<string, string>); // as data
  const plain = object.kind === "Secret" ? [] : data;
  const encoded = object.kind === "Secret" ? data : binary;
  return new Map([
    ...plain.map(([key, text]): [string, Uint8Array] => [key, new TextEncoder().encode(text)]),
    ...encoded.map(([key, text]): [string, Uint8Array] => [key, Uint8Array.fromBase64(text)]),
  ]);
}
