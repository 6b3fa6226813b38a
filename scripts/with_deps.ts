/**
 * Runs a Deno command with the dependencies of `deno.json` where the JSR registry answers, and with the stand-ins of
 * `scripts/offline/` where it does not:
 *
 *     deno run -A scripts/with_deps.ts test -A tests/dns
 *
 * `HAWSER_DEPS=jsr` and `HAWSER_DEPS=offline` decide it by hand. The configuration for the stand-ins is generated from
 * `deno.json`. It has a lock file of its own, made from `deno.lock` without the JSR packages, because Deno would otherwise
 * remove from `deno.lock` what the configuration in use does not name. What a command adds of npm's is carried back.
 *
 * Before that it sees to it that what hawser carries as text, its agent's program and the Java agent, is that of the sources.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a script talks to whoever started it
import { bundleAgent } from "./agent_bundle.ts";
import { writeJavaAgentText } from "./java_agent_text.ts";
import { type Configuration, offlineConfiguration } from "./offline/configuration.ts";
import { type Lock, offlineLock, withNpmOf } from "./offline/lock.ts";

type Network = "jsr" | "offline";

/** How long an answer about the registry holds. */
const answerHolds = 4 * 3600_000;

const [command, ...args] = Deno.args;
if (command === undefined || command.startsWith("-")) {
  const asked = command === "--help" || command === "-h";
  const tell = asked ? console.log : console.error;
  tell("Usage: deno run -A scripts/with_deps.ts COMMAND [ARGS…]   as in: deno COMMAND [ARGS…]");
  Deno.exit(asked ? 0 : 2);
}
await Promise.all([bundleAgent(), writeJavaAgentText()]);
const network = decided(Deno.env.get("HAWSER_DEPS")) ?? remembered() ?? await probe();
Deno.exit(network === "jsr" ? await deno(command, args) : await offline(command, args));

function decided(by: string | undefined): Network | undefined {
  if (by === undefined || by === "jsr" || by === "offline") return by;
  console.error(`HAWSER_DEPS is 'jsr' or 'offline', not '${by}'`);
  Deno.exit(2);
}

function remembered(): Network | undefined {
  try {
    const { network, at } = JSON.parse(Deno.readTextFileSync(file("deno.offline.answer")));
    return Math.abs(Date.now() - at) < answerHolds ? decided(network) : undefined;
  } catch {
    return undefined; // never asked, or not readable: ask
  }
}

async function probe(): Promise<Network> {
  const network = await jsrAnswers() ? "jsr" : "offline";
  if (network === "offline") console.error("JSR does not answer: using scripts/offline/ in its place for four hours");
  replace("deno.offline.answer", JSON.stringify({ network, at: Date.now() }));
  return network;
}

async function jsrAnswers(): Promise<boolean> {
  try {
    const registry = Deno.env.get("JSR_URL") ?? "https://jsr.io/"; // Deno's own way to name a mirror
    const response = await fetch(new URL("/@std/cli/meta.json", registry), { signal: AbortSignal.timeout(3000) });
    const meta = await response.json(); // a portal that asks for a login answers too, but not with JSON
    return response.ok && meta.name === "cli";
  } catch {
    return false;
  }
}

async function offline(command: string, args: readonly string[]): Promise<number> {
  const configuration = readConfiguration();
  const lock = offlineLock(readLock("deno.lock"));
  replace("deno.offline.json", text(offlineConfiguration(configuration, "deno.offline.lock")));
  replace("deno.offline.lock", text(lock));
  const path = file("deno.offline.json");
  const imports = command === "doc" ? ["--import-map", path] : []; // Deno 2.9's doc takes none from --config
  const code = await deno(command, ["--config", path, ...imports, ...args]);
  const after = readLock("deno.offline.lock");
  if (text(after) !== text(lock)) replace("deno.lock", text(withNpmOf(readLock("deno.lock"), after)));
  return code;
}

/** Runs this Deno with our standard streams; answers its exit code, 128 + N where signal N ended it. */
async function deno(command: string, args: readonly string[]): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [command, ...args],
    env: { HAWSER_DEPS: network }, // what it starts does not ask again; how hawser starts itself (platform/self.ts)
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {
      // A terminal sends Ctrl-C to the child by itself; we only outlive it, to answer its exit code.
      if (signal === "SIGINT" && Deno.stdin.isTerminal()) return;
      try {
        child.kill(signal);
      } catch {
        // It has ended in between.
      }
    });
  }
  return (await child.status).code;
}

function file(name: string): string {
  return `${import.meta.dirname}/../${name}`;
}

function readConfiguration(): Configuration {
  return JSON.parse(Deno.readTextFileSync(file("deno.json")));
}

function readLock(name: string): Lock {
  try {
    return JSON.parse(Deno.readTextFileSync(file(name)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { version: "5" };
    throw error;
  }
}

function text(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}

/** Writes a file in one step, so that a command running beside this one never reads half of it. */
function replace(name: string, content: string): void {
  try {
    if (Deno.readTextFileSync(file(name)) === content) return;
  } catch {
    // Not there yet.
  }
  const temporary = file(`${name}.${Deno.pid}`);
  Deno.writeTextFileSync(temporary, content);
  Deno.renameSync(temporary, file(name));
}
