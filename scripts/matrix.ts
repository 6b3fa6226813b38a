/**
 * Tries real programs with `hawser run` on a real cluster and prints who reaches what by which layer, as Markdown; the
 * table of all of them goes to `dist/matrix.md` too.
 *
 * Downloads and builds are kept in `$XDG_CACHE_HOME/hawser-matrix`. For Linux as root, with Debian's packages debootstrap, openjdk-17-jdk-headless,
 * maven, npm, golang-go, mono-mcs, python3-venv, curl, wget, git, postgresql-client, mariadb-client, redis-tools, chromium and firefox-esr.
 */
// deno-lint-ignore-file no-console -- a script talks to whoever started it
import { connectHawser, Home } from "../tests/e2e/hawser.ts";
import { browserPrograms } from "./matrix/browsers.ts";
import { dotnetPrograms } from "./matrix/dotnet.ts";
import { goPrograms } from "./matrix/go.ts";
import { javaPrograms } from "./matrix/java.ts";
import { judge, type Verdict } from "./matrix/judge.ts";
import { nodePrograms } from "./matrix/node.ts";
import type { Program } from "./matrix/program.ts";
import { pythonPrograms } from "./matrix/python.ts";
import { closeServers, namespace, openServers, type Servers } from "./matrix/servers.ts";
import { springStarts, springVerdicts } from "./matrix/spring.ts";
import { table } from "./matrix/table.ts";
import { toolPrograms } from "./matrix/tools.ts";
import { tryProgram } from "./matrix/try_program.ts";
import { scriptArguments } from "./script_arguments.ts";

/** Programs tried at the same time. */
const atOnce = 2;

const usage = `deno task matrix [--keep] [WORD…]

Makes the namespace hawser-matrix in the current kubeconfig context, and deletes it afterwards; --keep leaves
it, and uses one that was left. WORDs choose what is tried by what the name of its table, its column or its
row contains: java, "node 22", redis; and scene, Spring's.

Its images are localhost/databases:1 (Debian with mariadb-server, postgresql and redis-server; or the one that
HAWSER_E2E_DATABASES names), localhost/rabbitmq:1 (Debian with rabbitmq-server; HAWSER_MATRIX_RABBITMQ), and
localhost/node:20 (any with Node 18 or newer; HAWSER_E2E_NODE).`;

const { values: { keep = false }, positionals: words } = scriptArguments(usage, {
  options: { keep: { type: "boolean" } },
  allowPositionals: true,
});
// A terminal sends Ctrl-C to all programs that run as well.
const interrupt = new AbortController();
Deno.addSignalListener("SIGINT", () => interrupt.abort(new Error("interrupted")));

let verdicts: Verdict[] = [];
try {
  verdicts = await run();
} catch (error) {
  if (!interrupt.signal.aborted) throw error;
} finally {
  if (!keep) await closeServers();
}
if (interrupt.signal.aborted) Deno.exit(130);
const text = table(verdicts);
console.log(text);
if (words.length === 0) {
  await Deno.mkdir("dist", { recursive: true });
  await Deno.writeTextFile("dist/matrix.md", text);
}
const faults = verdicts.filter(({ wrong }) => wrong !== undefined);
console.log(`${verdicts.length - faults.length} passed, ${faults.length} failed`);
Deno.exit(faults.length > 0 ? 1 : 0);

async function run(): Promise<Verdict[]> {
  const programs: Program[] = [];
  for (
    const prepare of [
      toolPrograms,
      browserPrograms,
      javaPrograms,
      nodePrograms,
      pythonPrograms,
      goPrograms,
      dotnetPrograms,
    ]
  ) {
    const all = await prepare();
    programs.push(
      ...all.map((program) => ({ ...program, clients: chosen(program) })).filter(({ clients }) => clients.length > 0),
    );
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
      const judged = await judge(trying, (clients, layer) => {
        interrupt.signal.throwIfAborted();
        return tryProgram(trying, clients, layer, deps);
      });
      tell(found, judged);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (words.length === 0 || words.includes("scene")) {
    for (const start of springStarts) {
      interrupt.signal.throwIfAborted();
      tell(found, await springVerdicts(home, start));
    }
  }
  // In the order in which they are defined, and in the end what is not among them.
  const order = programs.map(({ family, runtime }) => `${family} ${runtime}`);
  const place = ({ family, runtime }: Verdict) => order.indexOf(`${family} ${runtime}`);
  return found.sort((one, other) => (place(one) >>> 0) - (place(other) >>> 0));
}

function tell(found: Verdict[], judged: readonly Verdict[]): void {
  for (const { runtime, client, by, milliseconds, wrong } of judged) {
    const how = by.map(({ name }) => name).join(", ");
    console.error(`${runtime}, ${client}: ${wrong ?? `${how}, ${milliseconds.toFixed(0)} ms`}`);
  }
  found.push(...judged);
}

/** The clients that the command line's words choose: all of a family or a runtime that has the word in its name, or those that have it in theirs. */
function chosen({ family, runtime, clients }: Pick<Program, "family" | "runtime" | "clients">): readonly string[] {
  const has = (name: string) => words.some((word) => name.toLowerCase().includes(word.toLowerCase()));
  return words.length === 0 || has(family) || has(runtime) ? clients : clients.filter(has);
}
