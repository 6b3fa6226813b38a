/** Measures hawser beside `kubectl port-forward` on a real cluster, in turns, and prints a table of medians with ratios. */
// deno-lint-ignore-file no-console -- a script talks to whoever started it
import { apply, kubectl } from "./bench/kubectl.ts";
import { bulk, connectionRate, download, firstByte, pings } from "./bench/load.ts";
import { scriptArguments } from "./script_arguments.ts";

const usage = `deno task bench [--rounds N] [--seconds S] [--rtt MS] [--image IMAGE] [--agent-image IMAGE]
           [--hawser "COMMAND"] [--peer "NAME=COMMAND"]… [--json FILE]

Makes the namespace hawser-bench in the current kubeconfig context, and deletes it afterwards. The image must
offer the test service of bench/load.ts on port 7000 when run with the argument serve; that of the relay's agent
has to have Node or Deno. krelay (kubectl-relay) is measured too where it is on PATH. A peer is any command that
forwards a local port, with {kubeconfig}, {namespace}, {service}, {local} and {remote} in its words.`;

const { values: options } = scriptArguments(usage, {
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "4" },
    rtt: { type: "string", default: "50" },
    image: { type: "string", default: "localhost/workload:1" },
    "agent-image": { type: "string", default: "localhost/node:20" },
    hawser: { type: "string", default: "" },
    peer: { type: "string", multiple: true, default: [] },
    json: { type: "string" },
  },
}, { numbers: ["rounds", "seconds", "rtt"] });
const rounds = Number(options.rounds), seconds = Number(options.seconds), rtt = Number(options.rtt);
const namespace = "hawser-bench";
const scripts = import.meta.dirname ?? ".";

/** A program that forwards a local port to the service. */
interface Tool {
  readonly name: string;
  readonly command: readonly string[];
}

const words = "-n {namespace} {service} {local}:{remote}";
const hawser = options.hawser || `${Deno.execPath()} run -A ${scripts}/with_deps.ts run -A ${scripts}/../main.ts`;
const tools: Tool[] = [
  { name: "hawser", command: `${hawser} forward --kubeconfig {kubeconfig} ${words}`.split(" ") },
  {
    name: "kubectl",
    command: "kubectl port-forward --kubeconfig {kubeconfig} -n {namespace} svc/{service} {local}:{remote}".split(" "),
  },
  {
    name: "hawser --relay",
    command: `${hawser} forward --relay --agent-image ${options["agent-image"]} --kubeconfig {kubeconfig} ${words}`
      .split(" "),
  },
  ...onPath(["kubectl-relay"], `kubectl-relay --kubeconfig {kubeconfig} -n {namespace} svc/{service} {local}:{remote}`),
  ...options.peer.map((peer) => {
    const [name = "", ...rest] = peer.split("=");
    return { name, command: rest.join("=").split(" ") };
  }),
];

/** A peer that is measured too where one of its programs is on PATH. */
function onPath(programs: readonly string[], command: string): Tool[] {
  const folders = (Deno.env.get("PATH") ?? "").split(Deno.build.os === "windows" ? ";" : ":");
  const endings = Deno.build.os === "windows" ? [".exe", ".cmd"] : [""];
  const is = (file: string) => {
    try {
      return Deno.statSync(file).isFile;
    } catch {
      return false;
    }
  };
  const name = programs.find((each) => folders.some((folder) => endings.some((end) => is(`${folder}/${each}${end}`))));
  return name === undefined ? [] : [{ name, command: command.split(" ") }];
}

/** One line of the table: what is measured, in what unit, and which way is better. */
interface Row {
  readonly name: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
  readonly measure: (ports: { near: number; far: number }) => Promise<number[]>;
}

const quantile = (values: readonly number[], part: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? NaN;
const median = (values: readonly number[]) => quantile(values, 0.5);

const rows: Row[] = [
  {
    name: `first byte of a new connection at ${rtt} ms round trip`,
    unit: "ms",
    better: "lower",
    measure: async ({ far }) => {
      const times = [];
      for (let i = 0; i < 15; i++) times.push(await firstByte(far));
      return [median(times)];
    },
  },
  {
    name: "new connections, one after another",
    unit: "/s",
    better: "higher",
    measure: async ({ near }) => [await connectionRate(near, 1, seconds)],
  },
  {
    name: "new connections, 16 at once",
    unit: "/s",
    better: "higher",
    measure: async ({ near }) => [await connectionRate(near, 16, seconds)],
  },
  {
    name: "download, 1 stream",
    unit: "MiB/s",
    better: "higher",
    measure: async ({ near }) => [await download(near, 1, seconds)],
  },
  {
    name: "download, 16 streams",
    unit: "MiB/s",
    better: "higher",
    measure: async ({ near }) => [await download(near, 16, seconds)],
  },
  {
    name: "1-byte ping, idle: p50 · p99",
    unit: "ms",
    better: "lower",
    measure: async ({ near }) => {
      const times = await pings(near, 1000, 0);
      return [median(times), quantile(times, 0.99)];
    },
  },
  {
    name: "1-byte ping beside a bulk download: p50 · p99",
    unit: "ms",
    better: "lower",
    measure: async ({ near }) => {
      const stop = await bulk(near);
      try {
        const times = await pings(near, 300, 10);
        return [median(times), quantile(times, 0.99)];
      } finally {
        stop();
      }
    },
  },
];

/** Starts a tool and waits until its local port answers. */
async function start(tool: Tool, kubeconfig: string, local: number): Promise<() => Promise<void>> {
  const values: Record<string, string> = {
    kubeconfig,
    namespace,
    service: "bench",
    local: String(local),
    remote: "7000",
  };
  const [program = "", ...args] = tool.command.map((word) =>
    word.replace(/\{(\w+)\}/g, (all, key) => values[key] ?? all)
  );
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  for (let tries = 0;; tries++) {
    try {
      await firstByte(local);
      break;
    } catch (error) {
      if (tries > 150) {
        await end(child);
        throw new Error(`${tool.name} does not forward: ${error}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return () => end(child);
}

async function end(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGINT");
  } catch {
    // It has ended by itself.
  }
  await child.status;
}

/** A service-account token rather than the administrator's certificate: the way most clusters are used. */
async function kubeconfigFor(port: number | undefined): Promise<string> {
  const config = JSON.parse(await kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"));
  const server = new URL(config.clusters[0].cluster.server);
  if (port) {
    const host = server.hostname.replace(/^\[|\]$/g, "");
    if (host !== "127.0.0.1") config.clusters[0].cluster["tls-server-name"] ??= host;
    config.clusters[0].cluster.server = `https://127.0.0.1:${port}`;
  }
  config.users[0].user = { token: (await kubectl("-n", namespace, "create", "token", "default")).trim() };
  const file = await Deno.makeTempFile({ suffix: ".kubeconfig" });
  await Deno.writeTextFile(file, JSON.stringify(config));
  return file;
}

const results = new Map<string, Map<string, number[][]>>();
const freePort = () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
};

await apply(
  { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: "bench", namespace },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "admin" },
    subjects: [{ kind: "ServiceAccount", name: "default", namespace }],
  },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "bench", namespace },
    spec: {
      selector: { matchLabels: { app: "bench" } },
      template: {
        metadata: { labels: { app: "bench" } },
        spec: { containers: [{ name: "bench", image: options.image, args: ["serve"] }] },
      },
    },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "bench", namespace },
    spec: { selector: { app: "bench" }, ports: [{ port: 7000 }] },
  },
);
const linkPort = freePort();
let link: Deno.ChildProcess | undefined;
const files: string[] = [];
try {
  await kubectl("-n", namespace, "rollout", "status", "deployment/bench", "--timeout=120s");
  const near = await kubeconfigFor(undefined), far = await kubeconfigFor(linkPort);
  files.push(near, far);
  const { hostname, port } = new URL(
    JSON.parse(await kubectl("config", "view", "--minify", "-o", "json")).clusters[0].cluster.server,
  );
  link = new Deno.Command(Deno.execPath(), {
    args: ["run", "-N", `${scripts}/bench/delay_line.ts`, String(linkPort), hostname, port || "443", String(rtt)],
    stdin: "null",
  }).spawn();
  for (let round = 1; round <= rounds; round++) {
    for (const tool of tools) {
      console.error(`round ${round} of ${rounds}: ${tool.name}`);
      const ports = { near: freePort(), far: freePort() };
      const stops: (() => Promise<void>)[] = [];
      try {
        stops.push(await start(tool, near, ports.near), await start(tool, far, ports.far));
      } catch (error) {
        if (tools.indexOf(tool) < 3) throw error;
        console.error(`${error instanceof Error ? error.message : error}; left out`);
        for (const stop of stops) await stop();
        continue;
      }
      for (const row of rows) {
        const values = await row.measure(ports);
        const byTool = results.get(row.name) ?? new Map<string, number[][]>();
        byTool.set(tool.name, [...byTool.get(tool.name) ?? [], values]);
        results.set(row.name, byTool);
        // What the last row left in buffers on the way must not weigh on the next.
        await new Promise((resolve) => setTimeout(resolve, 1500));
      }
      for (const stop of stops) await stop();
    }
  }
} finally {
  try {
    link?.kill();
  } catch {
    // It has ended by itself, which the far ports have shown.
  }
  await link?.status;
  for (const file of files) await Deno.remove(file);
  await kubectl("delete", "namespace", namespace, "--wait=false");
}

const show = (value: number) => value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
const table = rows.map((row) => {
  const byTool = results.get(row.name);
  const medians = tools.map(({ name }) => {
    const runs = byTool?.get(name) ?? [];
    return (runs[0] ?? []).map((_, index) => median(runs.map((run) => run[index] ?? NaN)));
  });
  const [ours = [], theirs = [], relayed = []] = medians;
  const ratiosOf = (values: readonly number[]) =>
    values.map((value, index) =>
      row.better === "higher" ? value / (theirs[index] ?? NaN) : (theirs[index] ?? NaN) / value
    );
  return {
    row: row.name,
    unit: row.unit,
    better: row.better,
    medians,
    ratios: ratiosOf(ours),
    relayRatios: ratiosOf(relayed),
    runs: Object.fromEntries(byTool ?? []),
  };
});
console.log(`| | ${tools.map(({ name }) => name).join(" | ")} | better than kubectl by | with --relay by |`);
console.log(`|---|${tools.map(() => "---").join("|")}|---|---|`);
for (const { row, unit, medians, ratios, relayRatios } of table) {
  const cells = medians.map((values) => values.map(show).join(" · "));
  const by = [ratios, relayRatios].map((each) => each.map((ratio) => `${ratio.toFixed(2)} ×`).join(" · "));
  console.log(`| ${row}, ${unit} | ${[...cells, ...by].join(" | ")} |`);
}
if (options.json) {
  await Deno.writeTextFile(
    options.json,
    JSON.stringify(
      {
        rounds,
        seconds,
        rtt,
        tools: tools.map(({ name }) => name),
        table,
      },
      null,
      2,
    ),
  );
}
