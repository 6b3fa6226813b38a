import { expand } from "./container_environment.ts";
import { logLines } from "./log_lines.ts";
import type { Container, Program } from "./program.ts";

/** Images whose command is run as a process of its own, by Node or by Deno: the stock images of both. */
const images: readonly [image: RegExp, program: Program][] = [
  [/(^|\/)node(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$/, (container) => run(container, "node")],
  [/(^|\/)deno(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$/, (container) => run(container, "deno")],
];

/** What a machine gives to every process, beside the container's variables. */
const inherited = ["PATH", "HOME", "DENO_DIR", "TEMP", "TMP", "TMPDIR", "SystemRoot", "USERPROFILE", "LOCALAPPDATA"];
const preload = decodeURIComponent(new URL("./pod_network.cjs", import.meta.url).pathname).replace(/^\/(?=[A-Z]:)/, "");
let nodeFound: Promise<boolean> | undefined;

/**
 * The program of an image of Node or Deno, undefined for any other. Its `command` (and `args`) must be `node [options] FILE…` or `deno run
 * [options] FILE…`. It runs as a process with the pod's variables, network (`pod_network.cjs`) and files: where a mount's path stands in
 * arguments and variables, the folder on this machine is put. Node's commands run by Deno where this machine has no Node. Under Windows each process takes
 * two of the four threads a core that Deno has there for files, too: a handful is all that may run at once.
 */
export function processProgram(image: string): Program | undefined {
  return images.find(([pattern]) => pattern.test(image))?.[1];
}

async function run(container: Container, runtime: "node" | "deno") {
  const given = [...container.command, ...container.args].map((arg) => expand(arg, container.env));
  const [name = "", ...args] = given.map((arg) => placed(arg, container.mounts));
  if (name.replace(/^\/usr\/(local\/)?bin\//, "") !== runtime) {
    throw new Error(`exec: "${name}": executable file not found in $PATH`);
  }
  const env = Object.fromEntries(inherited.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
  for (const [name, value] of Object.entries(container.env)) env[name] = placed(value, container.mounts);
  env.PRACTICE_GATE = container.gate.variable;
  const child = new Deno.Command(runtime === "node" && await hasNode() ? "node" : Deno.execPath(), {
    args: await argumentsOf(runtime, args),
    env,
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const logged = Promise.all([child.stdout, child.stderr].map((stream) => logLines(stream, container.log)));
  let stopping = false;
  const ended = child.status.then(async ({ code }) => {
    await logged;
    if (!stopping) container.exited(code);
  });
  return async (graceOver: AbortSignal) => {
    stopping = true;
    const signal = (name: Deno.Signal) => {
      try {
        child.kill(name);
      } catch {
        // It has ended by itself.
      }
    };
    const kill = () => signal("SIGKILL");
    if (graceOver.aborted) kill();
    else {
      graceOver.addEventListener("abort", kill, { once: true });
      if (Deno.build.os === "windows") container.gate.terminate(); // no signal leaves time there
      else signal("SIGTERM");
    }
    await ended;
    graceOver.removeEventListener("abort", kill);
  };
}

async function argumentsOf(runtime: "node" | "deno", args: readonly string[]): Promise<string[]> {
  if (runtime === "node" && await hasNode()) return ["--require", preload, ...args];
  const file = args.findIndex((arg, i) => !arg.startsWith("-") && !(runtime === "deno" && i === 0));
  if (file < 0 || (runtime === "deno" && args[0] !== "run")) {
    throw new Error(`not a command for a practice cluster: ${args}`);
  }
  return ["run", "-A", "--no-config", "--require", preload, ...args.slice(file)];
}

/** Puts folders of this machine where paths of mounts stand. */
function placed(text: string, mounts: ReadonlyMap<string, string>): string {
  let result = text;
  for (const path of [...mounts.keys()].sort((a, b) => b.length - a.length)) {
    const whole = new RegExp(`(?<![\\w./-])${RegExp.escape(path)}(?![\\w.-])`, "g");
    result = result.replace(whole, () => mounts.get(path)!);
  }
  return result;
}

function hasNode(): Promise<boolean> {
  return nodeFound ??= findNode();
}

async function findNode(): Promise<boolean> {
  try {
    const { stdout } = await new Deno.Command("node", { args: ["--version"], stdout: "piped", stderr: "null" })
      .output();
    return /^v\d+\./.test(new TextDecoder().decode(stdout)); // Deno answers itself, and otherwise, where there is no Node
  } catch {
    return false;
  }
}
