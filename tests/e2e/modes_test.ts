import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { eventually, InboundScene, workload } from "./inbound_scene.ts";
import { kubectl } from "./kubectl.ts";
import { service } from "./manifests.ts";

/** A program that ends as programs in a cluster should: it goes on answering for a while, and has its callers leave. */
const ending = `
  let going = false;
  const server = require("http").createServer((_request, response) => {
    if (going) response.setHeader("Connection", "close");
    response.end("pod");
  }).listen(8080);
  process.on("SIGTERM", () => {
    going = true;
    setTimeout(() => server.close(() => process.exit()), 5000);
  });`;

/** The deployment `orders`, whose pods take their time to end; its service is `orders`, too. */
function orders(): {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
} {
  const spec = structuredClone(workload("orders", 2, ["answering_program.mjs"])) as {
    template: { spec: { containers: [{ command: string[] }]; terminationGracePeriodSeconds: number } }; // as workload makes it
  };
  spec.template.spec.containers[0].command = ["node", "-e", ending];
  spec.template.spec.terminationGracePeriodSeconds = 15;
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "orders" }, ...{ spec } };
}

describe("the other modes", () => {
  const stack = new AsyncDisposableStack();
  let inbound: InboundScene;
  let laptop: Deno.HttpServer<Deno.NetAddr>;
  let before: unknown;

  beforeAll(async () => {
    inbound = stack.use(await InboundScene.open("modes", "--scale", "--ingress"));
    laptop = stack.use(Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("laptop")));
    await inbound.scene.apply(orders(), service("orders", { ports: [{ port: 80, targetPort: 8080 }] }));
    await inbound.scene.ready("deployment/orders");
    await inbound.answers("orders", "pod");
    before = await state();
  });

  afterAll(() => stack.disposeAsync());

  /** Service and deployment, without what every write changes. */
  async function state(): Promise<unknown> {
    const { items }: { items: { metadata: Record<string, unknown>; spec: unknown }[] } = JSON.parse(
      await inbound.scene.kubectl("get", "service/orders", "deployment/orders", "-o", "json"),
    );
    return items.map(({ metadata: { name, uid, labels, annotations }, spec }) => ({
      name,
      uid,
      labels,
      annotations,
      spec,
    }));
  }

  async function restored(): Promise<void> {
    assertEquals(await state(), before);
    await inbound.nothingLeft();
  }

  it("exchange --mode scale: the pods make room and come back without a failed request, and all is as it was", async () => {
    const traffic = await inbound.load("orders");
    const hawser = inbound.start("exchange", "orders", laptop.addr.port, "--mode", "scale");
    const report = JSON.parse(await hawser.line());
    assertEquals([report.variant, report.workload], ["scale", "deployment/orders"]);
    const labels = await inbound.scene.find(
      ["pods", "-l", "app=orders"],
      "{.items[*].metadata.labels.hawser\\.dev/agent}",
    );
    assertEquals(labels, ["orders"]);
    await inbound.answers("orders", "laptop", 5_000);
    const status = await inbound.run("status", "--cluster");
    assertMatch(status.stdout, /orders\n {2}alice@\S+ +exchange \(scale\) +80/);
    await eventually(
      async () => (await inbound.scene.find(["pods", "-l", "app=orders"], "{.items[*].metadata.name}")).length === 1,
      30_000,
      () => "the original pods have ended",
    );
    assertEquals((await hawser.stop()).code, 130);
    await inbound.answers("orders", "pod");
    const { by, failed } = await traffic.stop();
    assertEquals(failed, []);
    assert((by.pod ?? 0) > 20 && (by.laptop ?? 0) > 20, JSON.stringify(by));
    await restored();
  });

  it("laptop_killed_during_scale_mode: callers are told whose it is, and clean brings the pods back", async () => {
    const hawser = inbound.start("exchange", "orders", laptop.addr.port, "--mode", "scale");
    await hawser.line();
    await inbound.answers("orders", "laptop", 5_000);
    await hawser.stop("SIGKILL");
    const told = async () =>
      /HTTP 503 .*alice@.* has exchanged it with its pods scaled to zero/.test(await inbound.ask("orders"));
    await eventually(told, 15_000, () => "the answer names the holder");
    const refused = await inbound.start("exchange", "orders", laptop.addr.port, "--mode", "scale", "--cut").ended;
    assertEquals(refused.code, 2);
    const { code, stdout } = await inbound.run("clean");
    assertEquals([code, stdout.includes("deployment/orders with 2 replicas")], [0, true]);
    await inbound.answers("orders", "pod");
    await restored();
  });

  it("hpa_refused: with the autoscaler's name, before anything is changed", async () => {
    const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "orders" };
    await inbound.scene.apply({
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "scaler" },
      ...{ spec: { scaleTargetRef, minReplicas: 2, maxReplicas: 4 } },
    });
    const { code, stderr } = await inbound.start("exchange", "orders", laptop.addr.port, "--mode", "scale").ended;
    await inbound.scene.kubectl("delete", "hpa", "scaler");
    assertEquals(code, 1);
    assertStringIncludes(stderr, 'The autoscaler "scaler" keeps deployment/orders between 2 and 4 pods');
    await restored();
  });

  it("mesh --mode manual: one more pod of the service, which leaves it when its laptop dies", async () => {
    const flags = ["--mode", "manual", "--version-mark", "blue"];
    const traffic = await inbound.load("orders");
    const first = inbound.start("mesh", "orders", laptop.addr.port, ...flags);
    assertEquals(JSON.parse(await first.line()).label, { key: "version", value: "blue" });
    const own = ["pods", "-l", "app=orders,version=blue"];
    const [address = ""] = await inbound.scene.find(own, "{.items[*].status.podIP}");
    assertEquals(await inbound.ask(`${address}:8080`), "laptop");
    await inbound.answers("orders", "laptop");
    assertEquals((await first.stop()).code, 130);
    const { by, failed } = await traffic.stop();
    assertEquals(failed, []);
    assert((by.pod ?? 0) > (by.laptop ?? 0), JSON.stringify(by));
    await restored();
    const second = inbound.start("mesh", "orders", laptop.addr.port, ...flags);
    await second.line();
    await second.stop("SIGKILL");
    const ready = async () => (await inbound.scene.find(own, "{.items[*].status.containerStatuses[0].ready}"))[0];
    await eventually(async () => await ready() === "false", 15_000, () => "the pod is not ready");
    const { stdout } = await inbound.run("recover", "orders-blue");
    assertStringIncludes(stdout, 'agent of "orders-blue"');
    await restored();
  });

  it("preview --external nodeport: is reached through a node's address", async () => {
    const hawser = inbound.start("preview", "fresh", laptop.addr.port, "--external", "nodeport");
    const { reach } = JSON.parse(await hawser.line());
    // The Role of a namespace cannot let its user list nodes.
    const port = /at port (\d+) of any node, whose addresses you may not list/.exec(reach.notes[0])?.[1];
    const node = await kubectl([
      "get",
      "nodes",
      "-o",
      "jsonpath={.items[0].status.addresses[?(@.type=='InternalIP')].address}",
    ]);
    await inbound.answers(`${node.trim()}:${port}`, "laptop");
    assertEquals((await hawser.stop()).code, 130);
    await restored();
  });

  it("clean --all-namespaces: names the rights it lacks, and where, and changes nothing", async () => {
    const { code, stderr } = await inbound.run("clean", "--all-namespaces", "--dry-run");
    assertEquals(code, 1);
    assertStringIncludes(
      stderr,
      "needs rights in all namespaces, from a ClusterRole, that you do not have: list on services; list on deployments.apps",
    );
  });
});
