import { environment } from "../platform/environment.ts";
import type { Environment } from "../platform/proxy_settings.ts";

/** Where the Node hook is and whom it asks. */
export interface NodeHook {
  /** The front door's. */
  readonly port: number;
  /** The absolute path of `node_hook.cjs` on this machine. */
  readonly file: string;
}

/** The variables by which Node programs load the hook: `NODE_OPTIONS`, after what `env` has there, and the hook's own `HAWSER_HOOK_PORT`. */
export function nodeVariables(
  { port, file }: NodeHook,
  env: Environment,
  os: typeof Deno.build.os,
): Record<string, string> {
  const own = environment(env, os).NODE_OPTIONS?.trim();
  const option = `--require ${quoted(file)}`;
  return { NODE_OPTIONS: own ? `${own} ${option}` : option, HAWSER_HOOK_PORT: String(port) };
}

/** As Node splits the variable: between quotes a space is part of the word, and a backslash takes the next character as it is. */
function quoted(path: string): string {
  return `"${path.replace(/[\\"]/g, "\\$&")}"`;
}
