import type { Environment } from "../platform/proxy_settings.ts";
import { loadKubeconfig } from "./load_kubeconfig.ts";

/** A context as it is offered to a person. */
export interface ListedContext {
  readonly name: string;
  readonly cluster: string;
  /** `default` where the context has none. */
  readonly namespace: string;
  readonly current: boolean;
}

/** The contexts of the kubeconfig, sorted by name; empty where there is none. Reads files only. Rejects as `loadKubeconfig` does. */
export async function listContexts(file: string | undefined, env: Environment): Promise<readonly ListedContext[]> {
  const config = await loadKubeconfig(file, env);
  if (!config) return [];
  const contexts = [...config.contexts.values()].sort((a, b) => a.name < b.name ? -1 : 1);
  return contexts.map(({ name, cluster, namespace }) => ({
    name,
    cluster,
    namespace: namespace || "default",
    current: name === config.currentContext,
  }));
}
