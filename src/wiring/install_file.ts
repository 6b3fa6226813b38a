import { createHash } from "node:crypto";
import { join } from "node:path";
import { writePrivateFile } from "../platform/private_file.ts";

/**
 * Puts a file of ours where programs can load it, and resolves with its path. Each content has a folder of its own, so that a newer hawser takes nothing
 * away from programs that an older one has started. Throws a `Failure` that says what stands in the way.
 */
export async function installFile(folder: string, name: string, content: Uint8Array): Promise<string> {
  const path = join(folder, createHash("sha256").update(content).digest("hex").slice(0, 12), name);
  if (!await isThere(path, content.length)) await writePrivateFile(path, content);
  return path;
}

async function isThere(path: string, size: number): Promise<boolean> {
  try {
    return (await Deno.stat(path)).size === size;
  } catch {
    return false;
  }
}
