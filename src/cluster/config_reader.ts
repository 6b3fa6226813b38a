import type { V1ConfigMap, V1Secret } from "@kubernetes/client-node";
import { type Api, ApiError } from "./api.ts";

/** Kinds of objects that hold configuration. */
export type ConfigKind = "ConfigMap" | "Secret";

/** The contents of an object by key, or why they cannot be had. */
export type ConfigContents = ReadonlyMap<string, Uint8Array> | "absent" | "forbidden";

/** Reads ConfigMaps and Secrets of one namespace, each once. */
export class ConfigReader {
  readonly namespace: string;
  readonly #api: Pick<Api, "get">;
  readonly #signal: AbortSignal;
  readonly #asked = new Map<string, Promise<ConfigContents>>();

  constructor(api: Pick<Api, "get">, namespace: string, signal: AbortSignal) {
    this.#api = api;
    this.namespace = namespace;
    this.#signal = signal;
  }

  /** What an object holds. Rejects with an ApiError for what is neither its absence nor a missing right. */
  read(kind: ConfigKind, name: string): Promise<ConfigContents> {
    const key = `${kind}/${name}`;
    const asked = this.#asked.get(key) ?? this.#read(kind, name);
    this.#asked.set(key, asked);
    return asked;
  }

  async #read(kind: ConfigKind, name: string): Promise<ConfigContents> {
    const path = `/api/v1/namespaces/${this.namespace}/${kind === "Secret" ? "secrets" : "configmaps"}/${name}`;
    try {
      if (kind === "Secret") return decoded((await this.#api.get<V1Secret>(path, {}, this.#signal)).data);
      const { data = {}, binaryData } = await this.#api.get<V1ConfigMap>(path, {}, this.#signal);
      const encoder = new TextEncoder();
      const texts = Object.entries(data).map(([key, text]) => [key, encoder.encode(text)] as const);
      return new Map([...texts, ...decoded(binaryData)]);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 404) return "absent";
      if (error.status === 403) return "forbidden";
      throw error;
    }
  }
}

function decoded(data: Readonly<Record<string, string>> = {}): ReadonlyMap<string, Uint8Array> {
  return new Map(Object.entries(data).map(([key, value]) => [key, Uint8Array.fromBase64(value)]));
}
