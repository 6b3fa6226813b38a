import { Home, runHawser } from "../../tests/e2e/hawser.ts";
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
  { home, session, servers }: TryDeps,
): Promise<ReadonlyMap<string, Outcome>> {
  const { seconds = 60 } = program;
  const words = program.words(clients);
  const variables = {
    ...layer?.envFile ? {} : servers.addresses,
    DATABASE_USER: databaseUser.name,
    DATABASE_PASSWORD: databaseUser.password,
    ...program.env,
  };
  const started = performance.now();
  let result: CommandResult;
  if (layer === undefined) {
    result = await command(words, { env: { ...home.env, ...variables }, seconds });
  } else {
    const reach = program.alone || layer.alone ? ["-n", namespace] : ["--session", session];
    const timed = ["timeout", "--kill-after=5", String(seconds), ...words];
    const args = [
      "run",
      ...reach,
      ...layer.flags,
      ...layer.envFile ? ["--env-file", await envFile(home, servers)] : [],
      "--",
      ...timed,
    ];
    const ended = await runHawser(home.with(variables), args, (seconds + 30) * 1000);
    result = { ...ended, late: ended.code === 124 || ended.code === 137 };
  }
  const outcomes = program.answers === "lines"
    ? readLines(result.stdout)
    : wholeOutput(program, result, performance.now() - started);
  for (const client of clients) {
    if (!outcomes.has(client)) outcomes.set(client, { right: false, milliseconds: NaN, said: lastWords(result) });
  }
  return outcomes;
}

async function envFile({ folder }: Home, { addresses }: Servers): Promise<string> {
  const path = `${folder}/addresses.env`;
  await Deno.writeTextFile(path, Object.entries(addresses).map(([name, value]) => `${name}=${value}\n`).join(""));
  return path;
}

function wholeOutput(program: Program, result: CommandResult, milliseconds: number): Map<string, Outcome> {
  const right = result.code === 0 && /(^|\s)42\s*$/.test(result.stdout);
  const outcome = { right, milliseconds, said: right ? "42" : `!${lastWords(result)}` };
  return new Map(program.clients.map((client) => [client, outcome]));
}

function lastWords({ code, stdout, stderr, late }: CommandResult): string {
  const last = `${stdout}\n${stderr}`.trim().split("\n").slice(-2).join(" ");
  return `${late ? "took too long" : `ended with ${code}`}: ${last}`;
}
