import { type Home, runHawser } from "../../tests/e2e/hawser.ts";
import { databaseUser } from "../../tests/e2e/databases.ts";
import { command, type CommandResult } from "./command.ts";
import type { Layer } from "./layer.ts";
import type { Outcome, Program } from "./program.ts";
import { readLines } from "./read_lines.ts";
import { namespace, type Servers } from "./servers.ts";

/** What programs are tried with. */
export interface TryDeps {
  readonly home: Home;
  /** The session that runs. */
  readonly session: string;
  readonly servers: Servers;
}

/** Runs a program for some of its clients, by one layer, or without hawser where there is none. */
export async function tryProgram(
  program: Program,
  clients: readonly string[],
  layer: Layer | undefined,
  deps: TryDeps,
): Promise<ReadonlyMap<string, Outcome>> {
  const { answers, seconds = 60 } = program;
  const words = program.words(clients);
  const { env } = deps.home.with({
    ...layer?.envFile ? {} : deps.servers.addresses,
    DATABASE_USER: databaseUser.name,
    DATABASE_PASSWORD: databaseUser.password,
  });
  const started = performance.now();
  const result = layer === undefined
    ? await command(words, { env, seconds })
    : await runHawser({ env }, await hawserWords(program, words, layer, deps), (seconds + 30) * 1000);
  const milliseconds = performance.now() - started;
  const outcomes = answers === "lines" ? readLines(result.stdout) : new Map<string, Outcome>();
  const answer = answers === "lines" ? "" : (answers === "output" ? result.stdout : await answers()).trim();
  for (const client of clients) {
    if (outcomes.has(client)) continue;
    const right = result.code === 0 && answer === "42";
    outcomes.set(client, { right, milliseconds, said: right ? answer : lastWords(result) });
  }
  return outcomes;
}

async function hawserWords(
  { alone, seconds = 60 }: Program,
  words: readonly string[],
  layer: Layer,
  { home, session, servers }: TryDeps,
): Promise<string[]> {
  const reach = alone || layer.alone ? ["-n", namespace] : ["--session", session];
  if (layer.browser) {
    const [browser = "", address = "", ...args] = words;
    return ["browser", ...reach, "--browser", browser, address, "--", ...args];
  }
  const file = layer.envFile ? ["--env-file", await envFile(home, servers)] : [];
  return ["run", ...reach, ...layer.flags, ...file, "--", "timeout", "--kill-after=5", String(seconds), ...words];
}

async function envFile({ folder }: Home, { addresses }: Servers): Promise<string> {
  const path = `${folder}/addresses.env`;
  await Deno.writeTextFile(path, Object.entries(addresses).map(([name, value]) => `${name}=${value}\n`).join(""));
  return path;
}

function lastWords({ code, stdout, stderr }: CommandResult): string {
  const last = `${stdout}\n${stderr}`.trim().split("\n").slice(-2).join(" ");
  return `${code === 124 || code === 137 ? "took too long" : `ended with ${code}`}: ${last}`;
}
