import { WindowsProxy } from "../platform/windows_proxy.ts";
import { systemPac } from "../proxy/system_pac.ts";
import type { CliDeps } from "./deps.ts";

/**
 * How this machine's browsers go to what is not the cluster's, as a PAC script: that of the user's Windows, undefined anywhere else. Where it cannot be had that is told, and asked
 * again the next time.
 */
export function outsidePac(
  { os, paths, log }: Pick<CliDeps, "os" | "paths" | "log">,
): () => Promise<string | undefined> {
  let script: string | undefined;
  return async () => {
    if (os !== "windows") return undefined;
    try {
      return script ??= await systemPac(await new WindowsProxy(paths().state).settings());
    } catch (error) {
      log.warn(`${error instanceof Error ? error.message : error}. Browsers go without it`);
      return undefined;
    }
  };
}
