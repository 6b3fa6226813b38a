import { delimiter, join, resolve } from "node:path";
import type { Environment } from "../platform/proxy_settings.ts";
import { AccessError } from "./access.ts";
import type { Kubeconfig } from "./kubeconfig.ts";
import { parseKubeconfig } from "./parse_kubeconfig.ts";

/**
 * Loads the kubeconfig as `kubectl` does: `file` alone if given; else the files listed in `KUBECONFIG`, those missing passed over; else
 * `.kube/config` in the user's home. Of several files the first `current-context` and the first definition of each name win. Undefined
 * where there is no file at all (and none was named). Rejects with an {@linkcode AccessError}.
 */
export async function loadKubeconfig(file: string | undefined, env: Environment): Promise<Kubeconfig | undefined> {
  if (file !== undefined) {
    const text = await readIfThere(file);
    if (text === undefined) {
      throw new AccessError("kubeconfig", `There is no kubeconfig "${file}": check the path given with --kubeconfig`);
    }
    return await parseKubeconfig(text, resolve(file));
  }
  const found: Kubeconfig[] = [];
  const paths = kubeconfigPaths(env);
  for (const path of paths) {
    const another = listed(env).length === 0 && path !== paths.at(-1);
    const text = await readIfThere(path, another);
    if (text === undefined) continue;
    found.push(await parseKubeconfig(text, resolve(path)));
    // A list is merged; of several homes, which only Windows has, the first with a file is meant.
    if (listed(env).length === 0) break;
  }
  return found.length === 0 ? undefined : merge(found);
}

/** Where a kubeconfig is looked for when none is named: the entries of `KUBECONFIG`, or `.kube/config` in the user's home. */
export function kubeconfigPaths(env: Environment): readonly string[] {
  const paths = listed(env);
  if (paths.length > 0) return paths;
  const drive = env.HOMEDRIVE && env.HOMEPATH ? env.HOMEDRIVE + env.HOMEPATH : undefined;
  const homes = [env.HOME, drive, env.USERPROFILE].flatMap((home) => home ? [home] : []);
  return [...new Set(homes)].map((home) => join(home, ".kube", "config"));
}

function listed(env: Environment): readonly string[] {
  return [...new Set((env.KUBECONFIG ?? "").split(delimiter).filter((entry) => entry !== ""))];
}

function merge(configs: readonly Kubeconfig[]): Kubeconfig {
  return {
    files: configs.flatMap((config) => config.files),
    currentContext: configs.find((config) => config.currentContext !== "")?.currentContext ?? "",
    contexts: firstWins(configs.map((config) => config.contexts)),
    clusters: firstWins(configs.map((config) => config.clusters)),
    users: firstWins(configs.map((config) => config.users)),
  };
}

function firstWins<T>(maps: readonly ReadonlyMap<string, T>[]): ReadonlyMap<string, T> {
  const merged = new Map<string, T>();
  for (const map of maps) {
    for (const [name, entry] of map) if (!merged.has(name)) merged.set(name, entry);
  }
  return merged;
}

/** With `another` to look at, a file that is out of reach is as good as none: Windows' first home is often on a drive of the company's network. */
async function readIfThere(path: string, another = false): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    const refused = error instanceof Deno.errors.PermissionDenied;
    if (another && !refused) return undefined;
    const reason = refused ? "it may not be read" : error instanceof Error ? error.message : error;
    throw new AccessError("kubeconfig", `The kubeconfig "${path}" cannot be read: ${reason}`, { cause: error });
  }
}
