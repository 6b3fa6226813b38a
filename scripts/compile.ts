// deno-lint-ignore-file no-console -- a script talks to whoever started it
/**
 * Builds the executables into `dist/`, with their checksums.
 *
 * `deno compile` puts the program into a base binary, `denort`, which it downloads from dl.deno.land, unless its cache has it
 * (`$DENO_DIR/dl`) or `DENORT_BIN` names one for this machine. Where none can be had, this machine's Linux gets an executable
 * that carries Deno itself and unpacks it (target `self-extracting`).
 *
 * @module
 */
import { bundle } from "./bundle.ts";
import { permissions } from "./permissions.ts";
import { runTool } from "./run_tool.ts";
import { scriptArguments } from "./script_arguments.ts";
import { buildSelfExtracting } from "./self_extracting/build.ts";

/** Executables by the targets of `deno compile`. */
const executables: Readonly<Record<string, string>> = {
  "x86_64-unknown-linux-gnu": "hawser-linux-x64",
  "aarch64-unknown-linux-gnu": "hawser-linux-arm64",
  "x86_64-apple-darwin": "hawser-macos-x64",
  "aarch64-apple-darwin": "hawser-macos-arm64",
  "x86_64-pc-windows-msvc": "hawser-windows-x64.exe",
};
const host = Deno.build.target;
const hostExecutable = executables[host] ?? `hawser-${host}`;
const targets = [...Object.keys(executables), "self-extracting"];

const usage = `deno task compile            what can be built here
       deno task compile TARGET…    these, or fail

TARGETs: ${targets.join(", ")}`;

const { positionals: named } = scriptArguments(usage, { allowPositionals: true }, { words: targets });

const { version } = JSON.parse(await Deno.readTextFile(`${import.meta.dirname}/../deno.json`));
Deno.chdir(`${import.meta.dirname}/..`);
await Deno.remove("dist", { recursive: true }).catch(() => {});
await Deno.mkdir("dist");

const built: string[] = [];
const missing: string[] = [];
const asked = named.length > 0 ? named : Object.keys(executables);
if (asked.some((target) => target in executables)) await bundle("dist/bundle");
for (const target of asked) {
  const executable = executables[target];
  if (executable === undefined) await selfExtracting();
  else if (await hasBaseBinary(target)) await compiled(target, executable);
  else missing.push(target);
}
if (missing.length > 0) {
  console.error(
    `No base binary for ${missing.join(", ")}: dl.deno.land does not answer, nothing is cached, DENORT_BIN is not set`,
  );
  if (named.length > 0) Deno.exit(1);
  if (missing.includes(host) && Deno.build.os === "linux") await selfExtracting();
}
if (built.includes(hostExecutable)) await check(hostExecutable);
await writeChecksums();
if (built.length === 0) Deno.exit(1);

async function hasBaseBinary(target: string): Promise<boolean> {
  if (Deno.env.get("DENORT_BIN") !== undefined) return target === host;
  const path = `release/v${Deno.version.deno}/denort-${target}.zip`;
  const { denoDir } = JSON.parse(new TextDecoder().decode(await runTool(Deno.execPath(), ["info", "--json"])));
  if (await exists(`${denoDir}/dl/${path}`)) return true;
  try {
    const signal = AbortSignal.timeout(10_000);
    return (await fetch(`https://dl.deno.land/${path}`, { method: "HEAD", signal })).ok;
  } catch {
    return false;
  }
}

async function compiled(target: string, executable: string): Promise<void> {
  await runTool(Deno.execPath(), [
    ...["compile", "--quiet", "--no-check", "--config", "dist/bundle/deno.json", ...permissions],
    ...["--target", target, "--output", `dist/${executable}`, "dist/bundle/main.js"],
  ]);
  await report(executable);
}

async function selfExtracting(): Promise<void> {
  await buildSelfExtracting(`dist/${hostExecutable}`, version);
  await report(hostExecutable);
}

async function report(executable: string): Promise<void> {
  built.push(executable);
  const { size } = await Deno.stat(`dist/${executable}`);
  console.log(`dist/${executable}  ${(size / 2 ** 20).toFixed(1)} MiB`);
}

/** A base binary that is none (Deno itself, say) yields an executable that never runs the program inside. */
async function check(executable: string): Promise<void> {
  const output = await runTool(`dist/${executable}`, ["version"]).catch((error) =>
    new TextEncoder().encode(error.message)
  );
  const said = new TextDecoder().decode(output);
  if (!said.startsWith(`hawser ${version} `)) {
    fail(`dist/${executable} does not run hawser; is its base binary a denort?\n${said}`);
  }
}

async function writeChecksums(): Promise<void> {
  const lines: string[] = [];
  for (const executable of built.toSorted()) {
    const hash = await crypto.subtle.digest("SHA-256", await Deno.readFile(`dist/${executable}`));
    lines.push(`${new Uint8Array(hash).toHex()}  ${executable}\n`);
  }
  await Deno.writeTextFile("dist/SHA256SUMS", lines.join(""));
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function fail(message: string): never {
  console.error(`compile: ${message}`);
  Deno.exit(1);
}
