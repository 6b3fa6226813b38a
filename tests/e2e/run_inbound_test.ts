import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { getAvailablePort } from "@std/net/get-available-port";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { RunningHawser } from "./hawser.ts";
import { eventually, InboundScene, nodeImage } from "./inbound_scene.ts";
import { roleBinding } from "./users.ts";

/** A program of Node that answers with its name, and ends with status 7 once it is asked for `/end`. */
function program(port: number): readonly string[] {
  const code = `
    import http from "node:http";
    import process from "node:process";
    http.createServer((request, response) => {
      response.end("laptop " + process.env.HAWSER_MARK);
      if (request.url === "/end") setTimeout(() => process.exit(7), 200);
    }).listen(${port}, "127.0.0.1");`;
  return ["--", Deno.execPath(), "eval", code];
}

describe("run with --exchange and --mesh, on a real cluster", () => {
  const stack = new AsyncDisposableStack();
  let inbound: InboundScene;
  let port: number;

  beforeAll(async () => {
    inbound = stack.use(await InboundScene.open("run"));
    await Promise.all(["orders", "stock"].map((name) => inbound.serve(name)));
    port = getAvailablePort();
  });
  afterAll(() => stack.disposeAsync());

  function run(...flags: readonly string[]): RunningHawser {
    return new RunningHawser(inbound.home, [
      ...["run", "--port", "0", "--agent-image", nodeImage, "--log-level", "info"],
      ...flags,
      ...program(port),
    ]);
  }

  it("has a program answer two services, passes its status on, and leaves both as they were", async () => {
    const before = await Promise.all(["orders", "stock"].map((name) => inbound.state(name)));
    const traffic = await inbound.load("orders");
    const running = run("--exchange", `orders:${port}:80`, "--mesh", `stock:${port}:80`, "--version-mark", "blue");
    await running.says(/Ready: /, 60_000);
    await inbound.answers("orders", "laptop", 5_000);
    await inbound.answersAll("stock", ["blue"], "laptop");
    assertEquals(await inbound.ask("stock"), "web");
    await running.says(/info: stock:80 <- \S+ GET \/ 200, /, 5_000);
    await fetch(`http://127.0.0.1:${port}/end`).then((answer) => answer.text());
    const { code, stdout, stderr } = await running.ended;
    assertEquals([code, stdout], [7, ""]);
    assertStringIncludes(stderr, 'Service "stock" is what it was, and nothing is left.');
    // While the program ended and its traffic was not yet put back, the original pods answered.
    assertEquals((await traffic.stop()).failed, []);
    await inbound.restored("orders", before[0]);
    await inbound.restored("stock", before[1]);
  });

  it("hands Ctrl-C to the program, and puts the service back when that has ended by it", async () => {
    const before = await inbound.state("orders");
    const running = run("--exchange", `orders:${port}:80`);
    await running.says(/Ready: /, 60_000);
    const { code, stderr } = await running.stop("SIGINT");
    assertEquals(code, 130);
    assertMatch(stderr, /Service "orders" is what it was, and nothing is left\.\n$/);
    await inbound.restored("orders", before);
  });

  it("says who holds connections from before where exec is allowed, and that there may be some where it is not", async () => {
    const before = await inbound.state("orders");
    const hold = await inbound.load("orders");
    const unknown = run("--exchange", `orders:${port}:80`);
    await unknown.says(/Connections opened before stay with the original pods/, 60_000);
    await unknown.stop("SIGINT");
    await inbound.restored("orders", before);
    const rules = [{ apiGroups: [""], resources: ["pods/exec"], verbs: ["get", "create"] }];
    await inbound.scene.apply(
      { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: { name: "exec" }, rules },
      roleBinding("exec", { kind: "Role", name: "exec" }, { kind: "User", name: inbound.scene.namespace }),
    );
    await eventually(async () => await inbound.ask("orders") === "web", 10_000, () => "the pods answer");
    const known = run("--exchange", `orders:${port}:80`);
    await known.says(
      /\d+ connections? opened before still goe?s? to the original pods of "orders": asking-\S+ \(\d+\)/,
      60_000,
    );
    await known.stop("SIGINT");
    await hold.stop();
    await inbound.restored("orders", before);
  });
});
