import type { Environment } from "../platform/proxy_settings.ts";

/** Where the Node hook finds what it needs. */
export interface NodeHookPlace {
  /** The front door's. */
  readonly port: number;
  /** The absolute path of `node_hook.cjs` on this machine. */
  readonly file: string;
}

/**
 * The variables by which Node programs load the hook: `NODE_OPTIONS`, after what `env` has there, and the hook's own `HAWSER_HOOK_PORT`.
 * `env` finds `NODE_OPTIONS` however it is spelled there (on Windows; see `environment`).
 */
export function nodeVariables({ port, file }: NodeHookPlace, env: Environment): Record<string, string> {
  const own = env.NODE_OPTIONS?.trim() ?? "";
  const option = `--require ${quoted(file)}`;
  const others = own === option || own.endsWith(` ${option}`) ? own.slice(0, -option.length).trimEnd() : own;
  return { NODE_OPTIONS: others === "" ? option : `${others} ${option}`, HAWSER_HOOK_PORT: String(port) };
}

/** As Node splits the variable: between quotes a space is part of the word, and a backslash takes the next character as it is. */
function quoted(path: string): string {
  return `"${path.replace(/[\\"]/g, "\\$&")}"`;
}
