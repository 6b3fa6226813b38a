import { Failure } from "./failure.ts";
import type { Environment } from "./proxy_settings.ts";

/** Where hawser keeps files of one user. None need exist. */
export interface Paths {
  /** What the user decides: `config.json`. */
  readonly config: string;
  /** Notes about what runs now, and logs. */
  readonly state: string;
  /** What may be deleted at any time. */
  readonly cache: string;
}

/**
 * The folders of the platform: the XDG Base Directory Specification on Linux (relative values are ignored, as it asks), `~/Library` on
 * macOS, `%APPDATA%` (roams) and `%LOCALAPPDATA%` (stays) on Windows. Throws a {@linkcode Failure} where the variable that says
 * where the user's home is has not been set.
 */
export function userPaths(os: typeof Deno.build.os, env: Environment): Paths {
  switch (os) {
    case "windows": {
      const local = windowsFolder(env, "LOCALAPPDATA", "Local");
      return {
        config: `${windowsFolder(env, "APPDATA", "Roaming")}\\hawser`,
        state: `${local}\\hawser\\state`,
        cache: `${local}\\hawser\\cache`,
      };
    }
    case "darwin": {
      const library = `${home(env, "HOME")}/Library`;
      return {
        config: `${library}/Application Support/hawser`,
        state: `${library}/Application Support/hawser/state`,
        cache: `${library}/Caches/hawser`,
      };
    }
    default:
      return {
        config: `${xdgFolder(env, "XDG_CONFIG_HOME", ".config")}/hawser`,
        state: `${xdgFolder(env, "XDG_STATE_HOME", ".local/state")}/hawser`,
        cache: `${xdgFolder(env, "XDG_CACHE_HOME", ".cache")}/hawser`,
      };
  }
}

function windowsFolder(env: Environment, name: string, folder: string): string {
  return env[name] || `${home(env, "USERPROFILE")}\\AppData\\${folder}`;
}

function xdgFolder(env: Environment, name: string, folder: string): string {
  const value = env[name];
  return value?.startsWith("/") ? value : `${home(env, "HOME")}/${folder}`;
}

function home(env: Environment, name: string): string {
  const value = env[name];
  if (!value) {
    throw new Failure(`Cannot tell where your home folder is, because ${name} is not set: set it and try again`);
  }
  return value;
}
