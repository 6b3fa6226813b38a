import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Home, runHawser, RunningHawser } from "./hawser.ts";
import { deployment, service } from "./manifests.ts";
import { Scene } from "./scene.ts";

/** A stock image with Node that the cluster can run. */
const agentImage = Deno.env.get("HAWSER_E2E_NODE") ?? "localhost/node:20";

/** A namespace under the restricted Pod Security Standard with a service, `web`, and a pod from which it is asked. */
async function open(): Promise<Scene> {
  const scene = await Scene.open("inbound");
  await scene.kubectl("label", "namespace", scene.namespace, "pod-security.kubernetes.io/enforce=restricted");
  const restricted = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    runAsNonRoot: true,
    runAsUser: 1000,
    seccompProfile: { type: "RuntimeDefault" },
  };
  const container = (name: string, image: string, command: readonly string[]) => ({
    spec: { containers: [{ name, image, command, securityContext: restricted }], terminationGracePeriodSeconds: 1 },
  });
  const pods = (name: string, replicas: number, template: { readonly spec: unknown }) => ({
    ...deployment(name),
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, ...template },
    },
  });
  const workload = Deno.env.get("HAWSER_E2E_IMAGE") ?? "localhost/workload:1";
  await scene.apply(
    pods("web", 2, container("web", workload, ["/bin/workload", "serve", "-name", "web"])),
    pods("client", 1, container("client", agentImage, ["node", "-e", "setInterval(() => {}, 1e9)"])),
    service("web", { ports: [{ name: "http", port: 80, targetPort: 8080 }, { name: "raw", port: 7000 }] }),
  );
  await scene.ready("deployment/web", "deployment/client");
  // The nodes learn of a new service a moment after its pods are ready.
  await eventually(async () => await ask(scene).catch(() => "nobody") === "web", 20_000, "the service answers");
  return scene;
}

/** Who answers a request from inside the cluster: a pod of the service, or the laptop. */
async function ask(scene: Scene, mark?: string): Promise<string> {
  const headers = JSON.stringify(mark === undefined ? {} : { version: mark });
  const script = `fetch("http://web/", { headers: ${headers} }).then((r) => r.text()).then((t) => console.log(t))`;
  const text = await scene.kubectl("exec", "deploy/client", "--", "node", "-e", script);
  return text.startsWith("laptop") ? "laptop" : JSON.parse(text).name;
}

/** Asks all the time, over kept connections and over new ones, until stopped; how many requests were answered, and what became of the others. */
function load(scene: Scene): { stop(): Promise<{ answered: number; failed: string[] }> } {
  const script = `
    const http = require("http"), fs = require("fs");
    const kept = new http.Agent({ keepAlive: true, maxSockets: 2 });
    let answered = 0, failed = [];
    const ask = (agent) => new Promise((done) => {
      const request = http.get({ host: "web", agent, timeout: 10000 }, (answer) => {
        if (answer.statusCode === 200) answered++; else failed.push("HTTP " + answer.statusCode);
        answer.resume().on("end", done).on("error", done);
      });
      request.on("error", (error) => { failed.push(error.message); done(); });
    });
    const client = async (agent) => { while (!fs.existsSync("/tmp/stop")) await ask(agent); };
    fs.rmSync("/tmp/stop", { force: true });
    Promise.all([client(kept), client(kept), client(false), client(false)]).then(() => {
      console.log(JSON.stringify({ answered, failed }));
      process.exit();
    });`;
  const asking = scene.kubectl("exec", "deploy/client", "--", "node", "-e", script);
  asking.catch(() => {});
  return {
    async stop() {
      await scene.kubectl("exec", "deploy/client", "--", "touch", "/tmp/stop");
      return JSON.parse(await asking);
    },
  };
}

/** The service as it is, without what every write changes, and all that hawser may leave. */
async function state(scene: Scene): Promise<unknown> {
  const { metadata, spec } = JSON.parse(await scene.kubectl("get", "service", "web", "-o", "json"));
  return { annotations: metadata.annotations, labels: metadata.labels, spec, ours: await ours(scene) };
}

/** Names of the objects that are hawser's. */
async function ours(scene: Scene): Promise<string> {
  const kinds = "deployments,services,configmaps,secrets,leases,pods";
  return await scene.kubectl("get", kinds, "-l", "app.kubernetes.io/managed-by=hawser", "-o", "name");
}

/** Waits until something holds, looking again and again; how many milliseconds that took. */
async function eventually(what: () => Promise<boolean>, limit: number, name: string): Promise<number> {
  const started = performance.now();
  while (!await what()) assert(performance.now() - started < limit, `Not within ${limit} ms: ${name}`);
  return performance.now() - started;
}

function laptop(): Deno.HttpServer<Deno.NetAddr> {
  const answer = (request: Request) => new Response(`laptop ${request.headers.get("version") ?? ""}`);
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, answer);
}

function start(home: Home, scene: Scene, command: string, port: number, ...flags: readonly string[]): RunningHawser {
  const where = ["-n", scene.namespace, "--agent-image", agentImage, "-o", "json"];
  return new RunningHawser(home, [command, "web", "--expose", `${port}:80`, ...where, ...flags]);
}

describe("traffic that comes in", () => {
  it("exchanges a service and gives it back exactly as it was, without a failed request", async () => {
    await using home = await Home.open();
    await using scene = await open();
    await using server = laptop();
    const before = await state(scene);
    const traffic = load(scene);
    const exchange = start(home, scene, "exchange", server.addr.port);
    assertEquals(JSON.parse(await exchange.line()).kind, "exchange");
    await eventually(async () => await ask(scene) === "laptop", 5_000, "the laptop answers");
    assertEquals((await exchange.stop()).code, 130);
    assertEquals(await ask(scene), "web");
    const { answered, failed } = await traffic.stop();
    assertEquals(failed, []);
    assert(answered > 50, `only ${answered} requests`);
    await eventually(async () => (await ours(scene)) === "", 30_000, "nothing is left");
    assertEquals(await state(scene), before);
  });

  it("two_developers_mesh_one_service: each gets the requests with their mark, the pods get the rest", async () => {
    await using home = await Home.open();
    await using scene = await open();
    await using server = laptop();
    const before = await state(scene);
    await using blue = start(home, scene, "mesh", server.addr.port, "--version-mark", "VERSION:blue");
    await blue.line();
    await using green = start(home, scene, "mesh", server.addr.port, "--version-mark", "VERSION:green");
    await green.line();
    assertEquals(await ask(scene, "blue"), "laptop");
    assertEquals(await ask(scene, "green"), "laptop");
    assertEquals(await ask(scene, "red"), "web");
    assertEquals(await ask(scene), "web");
    const same = await start(home, scene, "mesh", server.addr.port, "--version-mark", "VERSION:blue").ended;
    assertEquals(same.code, 1);
    assertMatch(same.stderr, /blue/);
    const { stdout } = await runHawser(home, ["status", "--cluster", "-n", scene.namespace]);
    assertStringIncludes(stdout, "web");
    await blue.stop();
    assertEquals(await ask(scene, "blue"), "web");
    assertEquals(await ask(scene, "green"), "laptop");
    await green.stop();
    await eventually(async () => (await ours(scene)) === "", 30_000, "nothing is left");
    assertEquals(await state(scene), before);
  });

  it("laptop_killed_during_exchange: the original pods answer again, and recover puts the service back", async () => {
    await using home = await Home.open();
    await using scene = await open();
    await using server = laptop();
    const before = await state(scene);
    const exchange = start(home, scene, "exchange", server.addr.port);
    await exchange.line();
    await eventually(async () => await ask(scene) === "laptop", 5_000, "the laptop answers");
    await exchange.stop("SIGKILL");
    await eventually(async () => await ask(scene) === "web", 15_000, "the original pods answer");
    const recovered = await runHawser(home, ["recover", "web", "-n", scene.namespace], 60_000);
    assertEquals([recovered.code, recovered.stderr.includes("rror")], [0, false]);
    assertEquals(await ask(scene), "web");
    await eventually(async () => (await ours(scene)) === "", 30_000, "nothing is left");
    assertEquals(await state(scene), before);
  });
});
