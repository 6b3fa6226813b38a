/**
 * `deno task demo`: starts a practice cluster on this machine and walks through what hawser does with it, by the commands that a user would type.
 * Nothing but Deno is needed, and nothing is left behind.
 */
// deno-lint-ignore-file no-console -- a script talks to whoever started it
import http from "node:http";
import { fileURLToPath } from "node:url";
import { scriptArguments } from "../../scripts/script_arguments.ts";
import { demoPrograms, demoServices } from "./demo_services.ts";
import { startPractice } from "./practice.ts";
import { stock } from "./stock.ts";

const usage = `deno task demo [--keep]

Takes about ten seconds. With --keep the cluster runs on afterwards until Ctrl-C.`;
const { values: { keep } } = scriptArguments(usage, { options: { keep: { type: "boolean" } } });

const root = fileURLToPath(new URL("../../", import.meta.url));
const style = !Deno.noColor && Deno.stdout.isTerminal()
  ? (code: number, text: string) => `\x1b[${code}m${text}\x1b[0m`
  : (_: number, text: string) => text;
const began = performance.now();
let step = 0;
const chapter = (title: string) => console.log(`\n${style(1, `${++step}. ${title}`)}`);
const say = (text: string) => console.log(style(2, text));
const command = (line: string) => console.log(`${style(36, "$")} ${style(1, line)}`);
const result = (text: string) => console.log(text.trimEnd().replace(/^/gm, "  "));

await using practice = await startPractice({ programs: demoPrograms });
await practice.apply(...stock(), ...demoServices());
const folder = await Deno.makeTempDir({ prefix: "hawser-demo-" });
const kubeconfig = `${folder}/kubeconfig`;
await Deno.writeTextFile(kubeconfig, practice.kubeconfig("admin", { namespace: "dev" }));

/** A machine of its own, as far as hawser can see: its notes and settings are not the user's. */
const env = {
  ...Deno.env.toObject(),
  DENO_DIR: denoFolder(),
  KUBECONFIG: kubeconfig,
  HOME: folder,
  USERPROFILE: folder,
  LOCALAPPDATA: folder,
  APPDATA: folder,
  XDG_CONFIG_HOME: folder,
  XDG_STATE_HOME: folder,
  XDG_CACHE_HOME: folder,
};
const config = Deno.env.get("HAWSER_DEPS") === "offline" ? ["--config", `${root}deno.offline.json`] : []; // as with_deps.ts runs us

function start(args: readonly string[]): Deno.ChildProcess {
  const all = ["run", "-A", "--quiet", ...config, `${root}main.ts`, ...args];
  return new Deno.Command(Deno.execPath(), { args: all, env, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
}

/** Runs hawser to its end and shows what it prints. */
async function hawser(...args: string[]): Promise<string> {
  command(`hawser ${args.join(" ")}`);
  const { stdout, stderr } = await start(args).output();
  const text = new TextDecoder().decode(stdout);
  result(text + new TextDecoder().decode(stderr));
  return text;
}

function denoFolder(): string {
  const { DENO_DIR, HOME = "", LOCALAPPDATA, XDG_CACHE_HOME } = Deno.env.toObject();
  if (DENO_DIR) return DENO_DIR;
  if (Deno.build.os === "windows") return `${LOCALAPPDATA}\\deno`;
  return Deno.build.os === "darwin" ? `${HOME}/Library/Caches/deno` : `${XDG_CACHE_HOME ?? `${HOME}/.cache`}/deno`;
}

/** A request through the proxy, as curl would make it: the proxy is told the name and finds out itself what it means. */
function get(port: number, url: string, marks: Record<string, string> = {}): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { host: new URL(url).host, ...marks };
    const options = { host: "127.0.0.1", port, path: url, headers, agent: false };
    http.get(options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => text += chunk);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", reject);
    }).on("error", reject);
  });
}

let connected = false;
let forward: Deno.ChildProcess | undefined, mesh: Deno.ChildProcess | undefined;
try {
  say(`A practice cluster listens on ${practice.server}; its kubeconfig is ${kubeconfig}.`);

  chapter("Connect: every service by its name, through one local port");
  await hawser("connect", "--port", "0", "--detach");
  connected = true;
  const { sessions: [session] } = JSON.parse(
    new TextDecoder().decode((await start(["status", "-o", "json"]).output()).stdout),
  );
  const proxy = `http://127.0.0.1:${session.port}`;
  const addressOf = (name: string) => (practice.get("services", "dev", name)?.spec as { clusterIP: string }).clusterIP;
  for (
    const [url, why] of [
      ["http://orders/", "a service of the connected namespace"],
      ["http://orders.shop/", "a service of another namespace"],
      ["http://stock.dev.svc.cluster.local/", "the full name"],
      ["http://web-0.web:8080/", "one pod of a StatefulSet"],
      ["http://partner/", "an ExternalName that leads to another namespace"],
      [`http://${addressOf("orders")}/`, "a ClusterIP"],
      ["http://search/", "a service without a ready pod"],
      ["http://billing/", "a service whose pod crashes"],
      ["http://ordesr.dev.svc.cluster.local/", "a name with a slip"],
    ] as const
  ) {
    command(`curl -x ${proxy} ${url}    # ${why}`);
    const { status, text } = await get(session.port, url);
    result(status === 200 ? `pod ${JSON.parse(text).pod} answered` : `HTTP ${status}: ${text}`);
  }
  say(
    "How: the proxy asked its live view of Services and EndpointSlices what the name means, chose a ready pod, and carried the bytes",
  );
  say("through the API server's pod port-forward. Nothing was resolved or routed on this machine.");

  chapter("DNS: the same names for programs that resolve them");
  const nameServer = { ipAddr: "127.0.0.1", port: session.dnsPort };
  for (
    const [name, type] of [["orders.dev.svc.cluster.local", "A"], ["web.dev.svc.cluster.local", "A"], [
      "_http._tcp.orders.dev.svc.cluster.local",
      "SRV",
    ]] as const
  ) {
    command(`dig @127.0.0.1 -p ${session.dnsPort} ${name} ${type} +short`);
    const answers: readonly (string | Deno.SrvRecord)[] = type === "A"
      ? await Deno.resolveDns(name, "A", { nameServer })
      : await Deno.resolveDns(name, "SRV", { nameServer });
    result(
      answers.map((each) =>
        typeof each === "string" ? each : `${each.priority} ${each.weight} ${each.port} ${each.target}`
      ).join("\n"),
    );
  }

  chapter("Forward: a plain local port for a database client");
  command("hawser forward mysql :3306");
  forward = start(["forward", "mysql", ":3306", "-o", "json"]);
  const ready = await firstLine(forward.stdout);
  const [{ port: localPort }] = JSON.parse(ready).forwards;
  result(`127.0.0.1:${localPort} → mysql 3306`);
  {
    using database = await Deno.connect({ hostname: "127.0.0.1", port: localPort });
    await database.write(new TextEncoder().encode("echo\nSELECT 1;\n"));
    const bytes = new Uint8Array(64);
    result(
      `a client said "SELECT 1;" and heard "${
        new TextDecoder().decode(bytes.subarray(0, await database.read(bytes) ?? 0)).trim()
      }"`,
    );
  }

  chapter("A pod dies under traffic");
  const victim = practice.list("pods", "dev").find(({ metadata }) =>
    metadata.name?.startsWith("orders-")
  )?.metadata.name ?? "";
  say(`New connections to http://orders/ all the time, while pod ${victim} is deleted:`);
  let answered = 0, failed = 0, going = true;
  const traffic = Promise.all(Array.from({ length: 4 }, async () => {
    while (going) {
      const { status } = await get(session.port, "http://orders/").catch(() => ({ status: 0 }));
      if (status === 200) answered++;
      else failed++;
    }
  }));
  command(`kubectl delete pod ${victim}`);
  await practice.remove("pods", "dev", victim);
  await practice.settled();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  going = false;
  await traffic;
  result(`${answered} requests answered, ${failed} failed; the forward above still listens on ${localPort}`);

  chapter("The API server goes away and comes back");
  await practice.faults.stopListening();
  result(`while it is gone: HTTP ${(await get(session.port, "http://orders.shop/")).status}`);
  await practice.faults.startListening();
  for (let tries = 0, status = 0; status !== 200; tries++) {
    ({ status } = await get(session.port, "http://orders.shop/"));
    if (status === 200) {
      result(`after it is back: HTTP 200, on the same port${tries > 0 ? `, at the ${tries + 1}th try` : ""}`);
    } else if (tries > 100) throw new Error("The session did not recover");
    else await new Promise((resolve) => setTimeout(resolve, 100));
  }

  chapter("Run: one program with the cluster within its reach");
  const program =
    `const answer = await fetch("http://orders.shop/"); console.log(answer.status, (await answer.json()).pod)`;
  command(`hawser run -- deno eval '${program}'`);
  const run = await start(["run", "--port", "0", "--", Deno.execPath(), "eval", program]).output();
  result(new TextDecoder().decode(run.stdout) + new TextDecoder().decode(run.stderr));

  const changed = () => practice.counters.writes.filter((each) => !/selfsubject/.test(each)).length;
  say(`Objects that hawser created or changed in the cluster up to here: ${changed()}.`);

  chapter("Mesh: one request of many comes to this machine");
  say("In the namespace spring, gateway asks orders, and orders asks stock; each passes the header VERSION on.");
  const { selector } = practice.get("services", "spring", "stock")?.spec as { selector: unknown };
  await using laptop = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("stock on this machine, in a debugger for all we know"),
  );
  const gateway = async (mark?: string) => {
    command(`curl -x ${proxy}${mark ? ` -H 'VERSION: ${mark}'` : ""} http://gateway.spring/`);
    result((await get(session.port, "http://gateway.spring/", mark ? { version: mark } : {})).text);
  };
  await gateway("alice");
  const meshed = ["mesh", "stock", "-n", "spring", "--expose", `${laptop.addr.port}:80`, "--version-mark", "alice"];
  command(`hawser ${meshed.join(" ")}`);
  mesh = start(meshed);
  const told = new Response(mesh.stderr).text();
  result(await textUntil(mesh.stdout, /^In the cluster until/m));
  say("The same request, then without the mark, then with a colleague's:");
  for (const mark of ["alice", undefined, "bob"]) await gateway(mark);
  say(
    "How: the service stock leads to an agent in the cluster now, which looks at each request: what has the mark comes here through",
  );
  say("a port-forward, everything else goes on to the pods that answered before.");
  await end(mesh);
  mesh = undefined;
  if (Deno.build.os === "windows") {
    say(
      "Ctrl-C would put everything back. As a program cannot press it here, the command was killed: any hawser can finish it.",
    );
    await hawser("recover", "stock", "-n", "spring");
  } else {
    say("Ctrl-C:");
    result((await told).trimEnd().split("\n").at(-1) ?? "");
  }
  await gateway("alice");
  const now = practice.get("services", "spring", "stock")?.spec as { selector: unknown };
  result(
    `the service selects ${JSON.stringify(now.selector)}, as before: ${
      JSON.stringify(now.selector) === JSON.stringify(selector)
    }`,
  );

  chapter("Nothing is left");
  await hawser("disconnect");
  connected = false;
  await end(forward);
  const ours = ["services", "deployments.apps", "configmaps", "secrets", "leases.coordination.k8s.io", "pods"].flatMap((
    kind,
  ) =>
    practice.list(kind, "spring").filter(({ metadata }) =>
      metadata.labels?.["app.kubernetes.io/managed-by"] === "hawser"
    )
  );
  result(`objects of hawser's in the cluster: ${ours.length}`);
  say(
    `\nThat took ${((performance.now() - began) / 1000).toFixed(1)} s. With a cluster of yours: deno task dev connect`,
  );

  if (keep) {
    const set = Deno.build.os === "windows" ? `$env:KUBECONFIG = "${kubeconfig}"` : `export KUBECONFIG=${kubeconfig}`;
    console.log(
      `\nThe practice cluster goes on until Ctrl-C. In another terminal:\n\n  ${set}\n  deno task dev connect`,
    );
    await new Promise<void>((resolve) => Deno.addSignalListener("SIGINT", resolve));
  }
} finally {
  for (const each of [forward, mesh]) if (each) await end(each);
  if (connected) await start(["disconnect"]).output();
  await Deno.remove(folder, { recursive: true });
}

/** Ends a command as Ctrl-C would, where the system can say that to another process. */
async function end(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill(Deno.build.os === "windows" ? "SIGKILL" : "SIGINT");
  } catch {
    // It has ended.
  }
  await Promise.all(
    [child.stdout, child.stderr].map((stream) => stream.locked ? undefined : stream.cancel().catch(() => {})),
  );
  await child.status;
}

/** The first line of a stream, which stays readable. */
async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  return (await textUntil(stream, /\n/)).split("\n", 1)[0] ?? "";
}

/** What comes in a stream, until there is something in it; it stays readable. */
async function textUntil(stream: ReadableStream<Uint8Array>, what: RegExp): Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (!what.test(text)) {
    const { value, done } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  reader.releaseLock();
  return text;
}
