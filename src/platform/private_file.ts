import { dirname } from "node:path";
import { Failure } from "./failure.ts";

/**
 * Writes a file that only its owner may read, whole or not at all: readers see the old content or the new one. The folder is created
 * (0700) where missing. On Windows the file inherits the access list of its folder, which below the user's profile is the user's
 * alone. Throws a {@linkcode Failure} that says what stands in the way.
 */
export async function writePrivateFile(path: string, content: string | Uint8Array): Promise<void> {
  const draft = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await makeFolder(dirname(path));
    try {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(draft, bytes, { mode: 0o600, createNew: true });
      await Deno.rename(draft, path);
    } catch (error) {
      await Deno.remove(draft).catch(() => {}); // never written, or already in place
      throw error;
    }
  } catch (error) {
    throw new Failure(`Cannot write "${path}": ${reason(error)}`, { cause: error });
  }
}

/**
 * Makes a folder, with those above it, that only its owner may enter. Leaves an existing one as it is. Throws a {@linkcode Failure} that
 * says what stands in the way.
 */
export async function createPrivateFolder(path: string): Promise<void> {
  try {
    await makeFolder(path);
  } catch (error) {
    throw new Failure(`Cannot make the folder "${path}": ${reason(error)}`, { cause: error });
  }
}

async function makeFolder(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
}

/** Reads a file; undefined where there is none. Throws a {@linkcode Failure} for everything else. */
export async function readFileIfAny(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new Failure(`Cannot read "${path}": ${reason(error)}`, { cause: error });
  }
}

function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT") return "the disk is full. Free some space and try again";
  if (code === "EROFS") {
    return "the disk is read-only. Name another folder: XDG_STATE_HOME, XDG_CONFIG_HOME and XDG_CACHE_HOME say where";
  }
  // NotCapable: there are places, /proc among them, that Deno does not write to for anybody.
  if (error instanceof Deno.errors.NotCapable) return "this is no place for files. Name another folder";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied. Check who owns the file and its folder";
  return error instanceof Error ? error.message : String(error);
}
