// deno-lint-ignore-file no-console -- a script talks to whoever started it
import { runTool } from "./run_tool.ts";
import { scriptArguments } from "./script_arguments.ts";

/**
 * Bundles programs and everything they import into the folder `out`, one `.js` per program and chunks beside them: what is
 * imported lazily, Kubernetes' client above all, stays out of the way of commands that do without it (one file for all took
 * 90 ms to say its version, these take 35). Beside them goes a `deno.json` with the unstable features the programs use, so
 * that `deno run out/main.js` knows them. Throws where a chunk cannot be loaded: Deno 2.9 makes such ones from CommonJS packages
 * with `--keep-names`.
 */
export async function bundle(out: string, programs: readonly string[] = ["main.ts"]): Promise<void> {
  await Deno.remove(out, { recursive: true }).catch(() => {});
  await runTool(Deno.execPath(), [
    ...["run", "-A", "scripts/with_deps.ts"],
    ...["bundle", "--quiet", "--minify", "--code-splitting", "--outdir", out],
    ...programs,
  ]);
  const { unstable } = JSON.parse(await Deno.readTextFile(`${import.meta.dirname}/../deno.json`));
  await Deno.writeTextFile(`${out}/deno.json`, JSON.stringify({ unstable, lock: false }) + "\n");
  await loadChunks(out, programs);
}

async function loadChunks(out: string, programs: readonly string[]): Promise<void> {
  const started = programs.map((program) => program.replace(/^.*\//, "").replace(/\.ts$/, ".js"));
  const files = await Array.fromAsync(Deno.readDir(out), ({ name }) => name);
  const chunks = files.filter((name) => name.endsWith(".js") && !started.includes(name));
  const file = `${out}/load.js`;
  await Deno.writeTextFile(file, chunks.map((name) => `import "./${name}";\n`).join(""));
  await runTool(Deno.execPath(), ["run", "-A", file]);
  await Deno.remove(file);
}

if (import.meta.main) {
  scriptArguments("deno task bundle", {});
  await bundle("dist/bundle");
  console.log("dist/bundle/main.js");
}
