import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What a process left behind. */
export interface Finished {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Where this Deno keeps what it has downloaded and compiled, so that children with another home share it. */
const denoDir: string = JSON.parse(
  new TextDecoder().decode(new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync().stdout),
).denoDir;

/** Without these, programs on Windows can open no sockets and find no others. */
const needed = ["PATH", "PATHEXT", "SystemRoot", "TEMP", "TMP"];

/** Starts hawser from its sources as a process of its own, with nothing but `env` (and what Deno needs) in its environment. */
export function hawserCommand(args: readonly string[], env: Readonly<Record<string, string>>): Deno.Command {
  const deps = Deno.env.get("HAWSER_DEPS");
  const config = deps === "offline" ? ["--config", `${root}deno.offline.json`] : []; // as scripts/with_deps.ts runs us
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", ...config, `${root}main.ts`, ...args],
    env: {
      ...Object.fromEntries(needed.flatMap((name) => Deno.env.has(name) ? [[name, Deno.env.get(name)!]] : [])),
      DENO_DIR: denoDir,
      ...deps && { HAWSER_DEPS: deps },
      ...env,
    },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs hawser to its end. */
export async function runHawser(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Finished> {
  const { code, stdout, stderr } = await hawserCommand(args, env).output();
  const text = new TextDecoder();
  // "Connecting…": said only where it takes its time, as on a machine that is busy
  return { status: code, out: text.decode(stdout), err: text.decode(stderr).replace(/^.*…\n/gm, "") };
}
