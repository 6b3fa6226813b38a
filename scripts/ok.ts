// deno-lint-ignore-file no-console -- a script talks to whoever started it
/**
 * Everything a change must pass, cheapest first, with a line for each stage; ends at the first that fails, with its output.
 *
 * @module
 */
import { bundle } from "./bundle.ts";
import { runTool } from "./run_tool.ts";
import { scriptArguments } from "./script_arguments.ts";
import { undocumented } from "./undocumented.ts";

/** How long `hawser version` may take from the bundle, in ms. */
const startUpBudget = 100;

const sources = ["main.ts", "src", "tests", "scripts"];

const stages: Readonly<Record<string, () => Promise<string | void>>> = {
  format: () => deno("fmt", "--check"),
  lint: () => deno("lint", "--quiet", ...sources),
  types: () => deno("check", "--quiet", ...sources),
  docs,
  tests: () => deno("test", "-A", "--quiet", "--parallel", "--ignore=tests/e2e,tests/binary"),
  bundle: startUp,
};

const usage = `deno task ok             all stages
       deno task ok STAGE…      these

STAGEs: ${Object.keys(stages).join(", ")}`;

const { positionals: named } = scriptArguments(usage, { allowPositionals: true }, { words: Object.keys(stages) });

Deno.chdir(`${import.meta.dirname}/..`);
for (const [name, stage] of Object.entries(stages)) {
  if (named.length > 0 && !named.includes(name)) continue;
  const start = performance.now();
  try {
    const remark = await stage();
    console.log(`${name.padEnd(8)} ok  ${seconds(start)}${remark ? `  ${remark}` : ""}`);
  } catch (error) {
    console.log(`${name.padEnd(8)} FAILED  ${seconds(start)}`);
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}

/** Runs a Deno command; answers the summary line of the tests, if it ran tests. */
async function deno(...args: readonly string[]): Promise<string | undefined> {
  const output = await runTool(Deno.execPath(), ["run", "-A", "scripts/with_deps.ts", ...args]);
  return /^ok \| (?<counts>.+?) \(/m.exec(new TextDecoder().decode(output))?.groups?.["counts"];
}

async function docs(): Promise<void> {
  const missing = await undocumented(["main.ts", "src"]);
  if (missing.length > 0) throw new Error(`These exports say nothing about themselves:\n${missing.join("\n")}`);
}

/** Bundles, and starts the bundle often enough for the quickest start to be one that nothing disturbed. */
async function startUp(): Promise<string> {
  await bundle("dist/bundle");
  let quickest = Infinity;
  for (let i = 0; i < 8; i++) {
    const start = performance.now();
    await runTool(Deno.execPath(), ["run", "-A", "dist/bundle/main.js", "version"]);
    quickest = Math.min(quickest, performance.now() - start);
  }
  const remark = `version in ${quickest.toFixed(0)} ms`;
  if (quickest > startUpBudget) throw new Error(`${remark}: more than ${startUpBudget} ms`);
  return remark;
}

function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}
