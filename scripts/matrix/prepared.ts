import { join } from "node:path";

/** Where downloads and builds are kept between runs: `$XDG_CACHE_HOME/hawser-matrix`. */
export const workshop = join(
  Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? Deno.cwd(), ".cache"),
  "hawser-matrix",
);

/**
 * A folder of the workshop that `make` fills; it is made once for each `recipe`, the text of all that decides what is in it. One that failed is
 * made again the next time.
 */
export async function prepared(name: string, recipe: string, make: (folder: string) => Promise<void>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(recipe));
  const folder = join(workshop, `${name}-${new Uint8Array(digest).slice(0, 6).toHex()}`);
  const done = `${folder}.done`;
  try {
    await Deno.stat(done);
    return folder;
  } catch {
    // Not yet, or not to its end.
  }
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  await make(folder);
  await Deno.writeTextFile(done, "");
  return folder;
}
