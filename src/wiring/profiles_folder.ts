import { basename, join } from "node:path";
import type { Environment } from "../platform/proxy_settings.ts";

/** What {@linkcode profilesFolder} looks at. */
export interface ProfilesFolderDeps {
  readonly env: Environment;
  /** The first bytes of a file. Default: of the disk's. */
  readonly startOf?: (path: string) => Promise<Uint8Array>;
}

/**
 * Where the profiles of a browser go: below the state folder; below `~/snap/NAME/common` for one that came as a snap, as both of Ubuntu's do: these may
 * write to nothing hidden in the user's home, and have a `/tmp` of their own.
 */
export async function profilesFolder(browser: string, state: string, deps: ProfilesFolderDeps): Promise<string> {
  const { HOME } = deps.env;
  const snap = HOME ? await snapOf(browser, deps.startOf ?? startOfFile) : undefined;
  return snap === undefined ? join(state, "browsers") : join(HOME!, "snap", snap, "common", "hawser");
}

/** `/snap/bin/firefox` is one, and so is `/usr/bin/firefox` where it is a script that starts it. */
async function snapOf(browser: string, startOf: (path: string) => Promise<Uint8Array>): Promise<string | undefined> {
  if (browser.startsWith("/snap/bin/")) return basename(browser);
  try {
    const text = new TextDecoder("latin1").decode(await startOf(browser));
    return text.startsWith("#!") ? /\/snap\/bin\/([a-z0-9-]+)/.exec(text)?.[1] : undefined;
  } catch {
    return undefined; // not ours to read: then it is no script either
  }
}

async function startOfFile(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const buffer = new Uint8Array(4096);
  return buffer.subarray(0, await file.read(buffer) ?? 0);
}
