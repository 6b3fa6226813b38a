// deno-lint-ignore-file no-console -- a script talks to whoever started it
import { runTool } from "./run_tool.ts";

/**
 * Bundles programs and everything they import into the folder `out`, one `.js` per program and chunks beside them: what is
 * imported lazily, Kubernetes' client above all, stays out of the way of commands that do without it (one file for all took
 * 90 ms to say its version, these take 35). Beside them goes a `deno.json` with the unstable features the programs use, so
 * that `deno run out/main.js` knows them.
 */
export async function bundle(out: string, programs: readonly string[] = ["main.ts"]): Promise<void> {
  await Deno.remove(out, { recursive: true }).catch(() => {});
  await runTool(Deno.execPath(), [
    ...["run", "-A", "scripts/with_deps.ts"],
    ...["bundle", "--quiet", "--minify", "--keep-names", "--code-splitting", "--outdir", out],
    ...programs,
  ]);
  const { unstable } = JSON.parse(await Deno.readTextFile(`${import.meta.dirname}/../deno.json`));
  await Deno.writeTextFile(`${out}/deno.json`, JSON.stringify({ unstable, lock: false }) + "\n");
}

if (import.meta.main) {
  await bundle("dist/bundle");
  console.log("dist/bundle/main.js");
}
