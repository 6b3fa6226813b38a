/**
 * Tries real programs with `hawser run` on a real cluster and prints who reaches what by which layer, as Markdown; the table goes to `dist/matrix.md` too.
 *
 *     deno task matrix [--keep] [WORD…]
 *
 * Uses the current kubeconfig context, in which it makes the namespace `hawser-matrix` and deletes it afterwards; with --keep it is left, and used
 * by the next run. WORDs choose programs by what their family, their runtime or one of their clients contains: `java`, "node 22", redis.
 * Downloads and builds are kept in `$XDG_CACHE_HOME/hawser-matrix`. Linux, as root, with the packages of `matrix/known_noes.ts`'s neighbours: each
 * says what it lacks.
 */
// deno-lint-ignore-file no-console -- a script talks to whoever started it
import { parseArgs } from "@std/cli/parse-args";
import { connectHawser, Home } from "../tests/e2e/hawser.ts";
import { browserPrograms } from "./matrix/browsers.ts";
import { goPrograms } from "./matrix/go.ts";
import { javaPrograms } from "./matrix/java.ts";
import { judge, type Verdict } from "./matrix/judge.ts";
import { knownNoes } from "./matrix/known_noes.ts";
import { nodePrograms } from "./matrix/node.ts";
import type { Program } from "./matrix/program.ts";
import { pythonPrograms } from "./matrix/python.ts";
import { closeServers, namespace, openServers, type Servers } from "./matrix/servers.ts";
import { table } from "./matrix/table.ts";
import { toolPrograms } from "./matrix/tools.ts";
import { tryProgram } from "./matrix/try_program.ts";

/** Programs tried at the same time. */
const atOnce = 2;

const { keep, _: words } = parseArgs(Deno.args, { boolean: ["keep"] });
const interrupted = Promise.withResolvers<never>();
Deno.addSignalListener("SIGINT", () => interrupted.reject(new Error("interrupted")));

let verdicts: Verdict[] = [];
try {
  verdicts = await Promise.race([run(), interrupted.promise]);
} finally {
  if (!keep) await closeServers();
}
const text = table(verdicts, knownNoes);
await Deno.mkdir("dist", { recursive: true });
await Deno.writeTextFile("dist/matrix.md", text);
console.log(text);
const faults = verdicts.filter(({ wrong, client, runtime }) =>
  wrong !== undefined && !knownNoes.some((no) => no.client === client && no.runtime.test(runtime))
);
console.log(`${verdicts.length - faults.length} passed, ${faults.length} failed`);
Deno.exit(faults.length > 0 ? 1 : 0);

async function run(): Promise<Verdict[]> {
  const programs: Program[] = [];
  for (const prepare of [toolPrograms, browserPrograms, javaPrograms, nodePrograms, pythonPrograms, goPrograms]) {
    programs.push(...(await prepare()).filter(chosen));
  }
  const servers: Servers = await openServers({ reuse: keep });
  await using home = await Home.open();
  const { running, report } = await connectHawser(home, ["-n", namespace]);
  await using _running = running;
  const deps = { home, session: report.session, servers };
  const found: Verdict[] = [];
  const left = [...programs];
  const worker = async () => {
    for (let program = left.shift(); program !== undefined; program = left.shift()) {
      const trying = program;
      const judged = await judge(trying, (clients, layer) => tryProgram(trying, clients, layer, deps));
      for (const { runtime, client, by, milliseconds, wrong } of judged) {
        const how = by.map(({ name }) => name).join(", ");
        console.error(`${runtime}, ${client}: ${wrong ?? `${how}, ${milliseconds.toFixed(0)} ms`}`);
      }
      found.push(...judged);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  // In the order in which they are defined.
  const order = programs.map(({ family, runtime }) => `${family} ${runtime}`);
  const place = ({ family, runtime }: Verdict) => order.indexOf(`${family} ${runtime}`);
  return found.sort((one, other) => place(one) - place(other));
}

function chosen({ family, runtime, clients }: Program): boolean {
  const names = [family, runtime, ...clients].map((name) => name.toLowerCase());
  return words.length === 0 || words.some((word) => names.some((name) => name.includes(String(word).toLowerCase())));
}
