/**
 * Measures what a mesh costs on a real cluster: requests from a pod to a service directly, passed through the agent because they carry no mark, and
 * answered by this machine because they do; and beside it, where `ssh` is on PATH, by kt-connect's way, an SSH tunnel through a port-forward.
 */
// deno-lint-ignore-file no-console -- a script talks to whoever started it
import { apply, kubectl } from "./bench/kubectl.ts";
import { openSshExchange } from "./bench/ssh_exchange.ts";
import { wrk } from "./bench/wrk.ts";
import { scriptArguments } from "./script_arguments.ts";

const usage = `deno task bench:inbound [--rounds N] [--seconds S] [--image IMAGE] [--load-image IMAGE]
           [--agent-image IMAGE] [--hawser "COMMAND"]

Makes the namespace hawser-bench-inbound in the current kubeconfig context, and deletes it afterwards. The image
must answer HTTP on port 8080 when run with the argument serve; the load image must have wrk, and sshd for the
comparison.`;

const { values: options } = scriptArguments(usage, {
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "5" },
    image: { type: "string", default: "localhost/workload:1" },
    "load-image": { type: "string", default: "localhost/bench-load:1" },
    "agent-image": { type: "string", default: "localhost/node:20" },
    hawser: { type: "string", default: "" },
  },
}, { numbers: ["rounds", "seconds"] });
const rounds = Number(options.rounds), seconds = Number(options.seconds);
const namespace = "hawser-bench-inbound";
const scripts = import.meta.dirname ?? ".";
const hawser = options.hawser || `${Deno.execPath()} run -A ${scripts}/with_deps.ts run -A ${scripts}/../main.ts`;
const mark = "VERSION:bench";

/** A way for a request to go. */
interface Way {
  readonly name: string;
  readonly url: string;
  readonly header?: string;
}

const direct: Way = { name: "direct", url: "http://plain:80/" };
const passed: Way = { name: "passed through", url: "http://meshed:80/" };
const answered: Way = { name: "answered here", url: "http://meshed:80/", header: mark };
const ssh: Way = { name: "SSH through port-forward", url: "http://ssh:80/" };

const service = (name: string) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
});
const deployment = (name: string, container: object) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name, ...container }] } },
  },
});

/** Seconds of processor time that the agent has used. */
async function agentTime(): Promise<number> {
  const stat = await kubectl("-n", namespace, "exec", "deployment/meshed-hawser", "--", "cat", "/proc/1/stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

let served = 0;
const program = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
  served++;
  return new Response("here\n");
});
const stops: (() => Promise<void>)[] = [() => program.shutdown()];
const results = new Map<string, { rate: number; p50: number; p99: number; perCore: number }[]>();
let ways = [direct, passed, answered];
try {
  await apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  stops.push(async () => void await kubectl("delete", "namespace", namespace, "--wait=false"));
  await apply(
    ...["plain", "meshed"].flatMap((name) => [
      service(name),
      deployment(name, { image: options.image, args: ["serve"] }),
    ]),
    deployment("load", { image: options["load-image"], command: ["sleep", "infinity"] }),
  );
  for (const name of ["plain", "meshed", "load"]) {
    await kubectl("-n", namespace, "rollout", "status", `deployment/${name}`, "--timeout=120s");
  }
  const agent = `--agent-image ${options["agent-image"]}`;
  const words = `mesh meshed -n ${namespace} --expose ${program.addr.port}:80 --version-mark ${mark} ${agent} -o json`
    .split(" ");
  const [command = "", ...args] = [...hawser.split(" "), ...words];
  const started = performance.now();
  const mesh = new Deno.Command(command, { args, stdin: "null", stdout: "piped", stderr: "inherit" }).spawn();
  stops.push(async () => {
    mesh.kill("SIGINT");
    await mesh.status;
  });
  const report = mesh.stdout.getReader();
  if ((await report.read()).done) throw new Error(`hawser ${words.join(" ")} has ended`);
  report.releaseLock();
  console.error(`the mesh stood after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  const tunnel = await openSshExchange(namespace, options["load-image"], program.addr.port);
  if (tunnel) {
    await apply(service("ssh"));
    stops.push(tunnel.close);
    ways = [...ways, ssh];
  }
  const load = (way: Way, connections: number) =>
    wrk(way.url, { namespace, workload: "deployment/load", seconds, connections, header: way.header });
  for (let round = 1; round <= rounds; round++) {
    for (const way of ways) {
      console.error(`round ${round} of ${rounds}: ${way.name}`);
      served = 0;
      const one = await load(way, 1);
      const before = await agentTime();
      const many = await load(way, 16);
      const spent = await agentTime() - before;
      const all = one.requests + many.requests, expected = way === answered || way === ssh ? all : 0;
      // wrk leaves what is under way at its end.
      if (Math.abs(served - expected) > 17) throw new Error(`${way.name}: ${served} of ${all} requests came here`);
      const figures = { rate: many.rate, p50: one.p50, p99: one.p99, perCore: many.requests / spent };
      results.set(way.name, [...results.get(way.name) ?? [], figures]);
    }
  }
} finally {
  for (const stop of stops.reverse()) await stop();
}

console.log(
  "| | requests/s, 16 connections | requests per second of the agent's processor | 1 connection: p50 · p99, ms |",
);
console.log("|---|---|---|---|");
for (const { name } of ways) {
  const runs = results.get(name) ?? [];
  const [rate, perCore, p50, p99] = (["rate", "perCore", "p50", "p99"] as const)
    .map((key) => median(runs.map((run) => run[key]))) as [number, number, number, number];
  const agent = name === passed.name || name === answered.name ? perCore.toFixed(0) : "";
  console.log(`| ${name} | ${rate.toFixed(0)} | ${agent} | ${p50.toFixed(2)} · ${p99.toFixed(2)} |`);
}
