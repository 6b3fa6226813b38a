import { environment } from "../platform/environment.ts";
import type { Environment } from "../platform/proxy_settings.ts";

/** Where the Python hook is and whom it asks. */
export interface PythonHook {
  /** The front door's. */
  readonly port: number;
  /** The absolute path of the folder, on this machine, that holds the hook's `sitecustomize.py` and nothing else that Python could import. */
  readonly folder: string;
}

/**
 * The variables by which Python programs load the hook: `PYTHONPATH`, before what `env` has there, since Python runs the first `sitecustomize` that
 * it finds (the hook runs the next), and the hook's own `HAWSER_HOOK_PORT`.
 */
export function pythonVariables(
  { port, folder }: PythonHook,
  env: Environment,
  os: typeof Deno.build.os,
): Record<string, string> {
  const own = environment(env, os).PYTHONPATH;
  const separator = os === "windows" ? ";" : ":";
  return { PYTHONPATH: own ? `${folder}${separator}${own}` : folder, HAWSER_HOOK_PORT: String(port) };
}
