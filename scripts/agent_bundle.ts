/**
 * Bundles `src/agent/main.ts` into one file without dependencies, for Node 18 and later and for Deno, as
 * `src/inbound/agent.generated.js`: whoever imports that file as text carries the agent. `scripts/with_deps.ts` calls it
 * before everything it runs.
 *
 * @module
 */
import { runTool } from "./run_tool.ts";

const root = `${import.meta.dirname}/..`;
const out = `${root}/src/inbound/agent.generated.js`;
/** All that the agent may import. */
const sources = ["src/agent", "src/stream", "src/tunnel", "src/platform", "scripts/agent_bundle.ts"];

/** Bytes; a ConfigMap holds 1 MiB. */
const limit = 200 * 1024;

/** Makes the file where it is not there or older than a source. */
export async function bundleAgent(): Promise<void> {
  if (changedAt(out) >= Math.max(...sources.map((each) => changedAt(`${root}/${each}`)))) return;
  // Commands that run side by side may all make it: each its own, put in place in one step.
  const temporary = `${out}.${Deno.pid}`;
  await Deno.mkdir(`${root}/src/inbound`, { recursive: true });
  await runTool(Deno.execPath(), [
    ...["bundle", "--quiet", "--no-config", "--no-lock", "--platform", "deno", "--minify", "--output", temporary],
    `${root}/src/agent/main.ts`,
  ]);
  const { size } = await Deno.stat(temporary);
  if (size > limit) throw new Error(`The agent has ${size} bytes; ${limit} are allowed`);
  await Deno.rename(temporary, out);
}

/** When a file, or the newest in a folder, was changed last, in milliseconds; 0 where there is none. */
function changedAt(path: string): number {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch {
    return 0;
  }
  const own = info.mtime?.getTime() ?? 0;
  if (!info.isDirectory) return own;
  return Math.max(own, ...Array.from(Deno.readDirSync(path), ({ name }) => changedAt(`${path}/${name}`)));
}
