/**
 * Measures what the wiring of programs costs: their start with and without the hooks, connections of a JVM by the agent and by SOCKS, and
 * downloads inside `--isolate net` and outside. In turns; prints medians.
 * The programs are those of the matrix.
 */
// deno-lint-ignore-file no-console -- a script talks to whoever started it
import { connectHawser, Home, runHawser } from "../tests/e2e/hawser.ts";
import { apply, kubectl } from "./bench/kubectl.ts";
import { startTime } from "./bench/start_time.ts";
import { succeed } from "./matrix/command.ts";
import { prepared } from "./matrix/prepared.ts";
import { inSid, javaFolder, prepareSid } from "./matrix/sid.ts";
import { buildApplication } from "./matrix/spring.ts";
import { scriptArguments } from "./script_arguments.ts";

const usage = `deno task bench:wiring [--rounds N] [--seconds S] [--image IMAGE] [WORD…]

Makes the namespace hawser-bench-wiring in the current kubeconfig context, and deletes it afterwards. WORDs
choose the rows that have them in their names. The image must offer the test service of bench/load.ts on port
7000 and /bytes/N on port 8080 when run with the argument serve.`;

const { values: options, positionals: words } = scriptArguments(usage, {
  options: {
    rounds: { type: "string", default: "7" },
    seconds: { type: "string", default: "5" },
    image: { type: "string", default: "localhost/workload:1" },
  },
  allowPositionals: true,
}, { numbers: ["rounds", "seconds"] });
const rounds = Number(options.rounds), seconds = Number(options.seconds);
const namespace = "hawser-bench-wiring";
const labels = { app: "bench" };
/** Bytes of one download. */
const size = seconds * 60_000_000;

/** One line of the table: the same with what is measured and without it. */
interface Row {
  readonly name: string;
  /** Milliseconds are subtracted, everything else is divided. */
  readonly unit: "ms" | "/s" | "MB/s";
  readonly without: () => Promise<number>;
  readonly with: () => Promise<number>;
}

type Variables = Readonly<Record<string, string>>;

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

await using stack = new AsyncDisposableStack();
await apply(
  { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "bench", namespace },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: "bench", image: options.image, args: ["serve"] }] },
      },
    },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "bench", namespace },
    spec: { selector: labels, ports: [{ name: "raw", port: 7000 }, { name: "http", port: 8080 }] },
  },
);
stack.defer(async () => void await kubectl("delete", "namespace", namespace, "--wait=false"));
await kubectl("-n", namespace, "rollout", "status", "deployment/bench", "--timeout=120s");

const source = `${import.meta.dirname}/bench/Connections.java`;
const classes = await prepared("bench", await Deno.readTextFile(source), async (folder) => {
  await succeed(["javac", "-Xlint:-options", "--release", "8", "-d", folder, source]);
});
const application = await buildApplication();
await prepareSid([8, 25]);
const home = stack.use(await Home.open());
const { running, report } = await connectHawser(home, ["-n", namespace]);
stack.use(running);

const wired = await variablesOf("--session", report.session);
const javaOnly: Variables = { ...home.env, JAVA_TOOL_OPTIONS: wired.JAVA_TOOL_OPTIONS ?? "" };
const nodeOnly: Variables = { ...home.env, NODE_OPTIONS: wired.NODE_OPTIONS ?? "" };
if (!javaOnly.JAVA_TOOL_OPTIONS || !nodeOnly.NODE_OPTIONS) throw new Error("hawser env names neither agent nor hook");

const nothing = (java: string) => [java, "-cp", classes, "Connections"];
const spring = ["java", "-jar", `${application}/target/shop.jar`, "--server.port=0"];
const springUrl = ["--spring.datasource.url=jdbc:mariadb://mariadb/shop"];
const started = "Started Shop";
const socks = ["-DsocksProxyHost=127.0.0.1", `-DsocksProxyPort=${report.port}`];
const connections = async (env: Variables, flags: readonly string[]) =>
  Number(await succeed(["java", ...flags, "-cp", classes, "Connections", "bench", "7000", String(seconds)], { env }));
const starts = (name: string, words: readonly string[], env: Variables, until?: string): Row => ({
  name: `start of ${name}`,
  unit: "ms",
  without: () => startTime(words, home.env, until),
  with: () => startTime(words, env, until),
});
const rows: Row[] = [
  starts("a Java program that ends at once, Java 17", nothing("java"), javaOnly),
  starts("the same, Java 8", inSid(nothing(`${javaFolder(8)}/bin/java`)), javaOnly),
  starts("the same, Java 25", inSid(nothing(`${javaFolder(25)}/bin/java`)), javaOnly),
  starts("a Spring program, Java 17", [...spring, ...springUrl], javaOnly, started),
  starts("`node -e 0`", ["node", "-e", "0"], nodeOnly),
  {
    name: "new connections of a JVM, by SOCKS and by the agent",
    unit: "/s",
    without: () => connections(home.env, socks),
    with: () => connections(javaOnly, []),
  },
  {
    name: "download by curl, with `--isolate none` and with `net`",
    unit: "MB/s",
    without: () => download("none"),
    with: () => download("net"),
  },
];

console.log("| | without | with | |");
console.log("|---|---|---|---|");
for (const row of rows.filter(({ name }) => words.every((word) => name.includes(word)))) {
  const pairs: [number, number][] = [];
  for (let round = 0; round < rounds; round++) pairs.push([await row.without(), await row.with()]);
  const show = (values: readonly number[]) => `${median(values).toFixed(0)} ${row.unit}`;
  const [without, having] = [pairs.map(([value]) => value), pairs.map(([, value]) => value)];
  const change = row.unit === "ms"
    ? `${signed(median(pairs.map(([one, other]) => other - one)))} ms`
    : `${median(pairs.map(([one, other]) => other / one)).toFixed(2)} ×`;
  console.log(`| ${row.name} | ${show(without)} | ${show(having)} | ${change} |`);
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(0)}`;
}

/** What `hawser env` sets. */
async function variablesOf(...args: readonly string[]): Promise<Variables> {
  const { code, stdout, stderr } = await runHawser(home, ["env", ...args, "-o", "json"]);
  if (code !== 0) throw new Error(`hawser env failed: ${stderr}`);
  return JSON.parse(stdout);
}

/** One stream, megabytes per second. */
async function download(isolate: "none" | "net"): Promise<number> {
  const curl = ["curl", "-sSo", "/dev/null", "-w", "%{speed_download}", `http://bench:8080/bytes/${size}`];
  const words = ["run", "-n", namespace, "--isolate", isolate, "--", ...curl];
  const { code, stdout, stderr } = await runHawser(home, words, 120_000);
  if (code !== 0) throw new Error(`hawser ${words.join(" ")} failed: ${stderr}`);
  return Number(stdout) / 1e6;
}
