import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { objectsOf } from "../inbound/scene.ts";
import type { Practice } from "../practice/practice.ts";
import { runHawser } from "./hawser_process.ts";
import { openPracticeHome, type PracticeHome } from "./practice_home.ts";
import { startHawser } from "./start_hawser.ts";

/** What a caller inside the cluster gets from the service `orders`. */
async function ask(practice: Practice, headers = ""): Promise<string> {
  const connection = await practice.dialFromPod("orders.dev", 80);
  const head = `GET / HTTP/1.1\r\nHost: orders\r\nConnection: close\r\n${headers}\r\n`;
  await connection.write(new TextEncoder().encode(head));
  return (await new Response(connection.readable).text()).includes("from the laptop") ? "laptop" : "pod";
}

describe("exchange and mesh, with the agent as a process", () => {
  let home: PracticeHome;
  let practice: Practice;
  let env: Record<string, string>;
  let program: Deno.HttpServer<Deno.NetAddr>;
  let before: string[];

  beforeAll(async () => {
    const ports = [{ name: "web", port: 80, targetPort: "http" }, { name: "raw", port: 7000 }];
    home = await openPracticeHome({ services: [{ name: "orders", ports, replicas: 2 }] });
    practice = home.practice;
    env = { ...home.env, USER: "alice" };
    program = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response("from the laptop"));
    before = objectsOf(practice);
  });
  afterAll(async () => {
    await program.shutdown();
    await home.close();
  });

  const expose = () => ["--expose", `${program.addr.port}:web`];

  it("brings all requests of a port here, and gives the service back", async () => {
    const exchange = await startHawser(["exchange", "deploy/orders", ...expose(), "-o", "json"], env);
    const { kind, service, ports, agent, origin, warnings } = JSON.parse(exchange.line);
    assertEquals([kind, service, agent, origin, warnings], [
      "exchange",
      "orders",
      "orders-hawser",
      "orders-hawser-origin",
      [],
    ]);
    assertEquals(ports, [{ port: 80, name: "web", local: "127.0.0.1", localPort: program.addr.port }]);
    await practice.settled();
    assertEquals(await ask(practice), "laptop");
    const connection = await practice.dialFromPod("orders.dev", 7000);
    await connection.write(new TextEncoder().encode("echo\nraw bytes"));
    await connection.closeWrite();
    assertEquals(await new Response(connection.readable).text(), "raw bytes");

    const { services: [held] } = JSON.parse((await runHawser(["status", "--cluster", "-o", "json"], env)).out);
    assertEquals([held.service, held.state, held.selector], ["orders", "diverted", { app: "orders" }]);
    assertMatch(held.participants[0].owner, /^alice@/);
    assertEquals([held.participants[0].kind, held.participants[0].live], ["exchange", true]);
    assert(held.participants[0].quiet < 15, "by the server's clock");

    const { code, err } = await exchange.end("SIGINT");
    assertEquals(code, 130);
    assertStringIncludes(err, "requests go to the original pods then; this finishes it: hawser recover orders -n dev)");
    assertStringIncludes(err, 'Service "orders" is what it was, and nothing is left.');
    await practice.settled();
    assertEquals(objectsOf(practice), before);
    assertEquals(await ask(practice), "pod");
  });

  it("keeps two developers' traffic coming when somebody deletes the agent, whoever of them makes it anew", async () => {
    const [alice, bob] = [
      await startHawser(["mesh", "orders", ...expose(), "--version-mark", "blue", "-o", "json"], env),
      await startHawser(["mesh", "orders", ...expose(), "--version-mark", "green", "-o", "json"], {
        ...env,
        USER: "bob",
      }),
    ];
    assertMatch(JSON.parse(bob.line).others.join(), /^alice@/);
    const asked = async () => [await ask(practice, "Version: blue\r\n"), await ask(practice, "Version: green\r\n")];
    assertEquals(await asked(), ["laptop", "laptop"]);
    await practice.remove("deployments.apps", "dev", "orders-hawser");
    const deadline = performance.now() + 20_000;
    const both = async () => (await asked().catch(() => ["nobody"])).every((who) => who === "laptop");
    while (!await both()) {
      assert(performance.now() < deadline, "the agent is not made anew, or somebody has not linked up again");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    for (const laptop of [bob, alice]) await laptop.end("SIGINT");
    await practice.settled();
    assertEquals(objectsOf(practice), before);
  });

  it("brings marked requests alone, and a killed laptop leaves what recover puts back", async () => {
    const mesh = await startHawser(["mesh", "orders", ...expose(), "--version-mark", "blue", "-o", "json"], env);
    assertEquals(JSON.parse(mesh.line).mark, 'header version is "blue"');
    await practice.settled();
    assertEquals([await ask(practice, "Version: blue\r\n"), await ask(practice)], ["laptop", "pod"]);
    const refused = await runHawser(["mesh", "orders", ...expose(), "--version-mark", "blue"], env);
    assertEquals(refused.status, 1);
    assertMatch(refused.err, /alice@.* has the mark header version is "blue"/);
    await mesh.end("SIGKILL");
    assertEquals(await ask(practice, "Version: blue\r\n"), "pod");
    const { status, out } = await runHawser(["recover", "orders"], env);
    assertEquals(status, 0);
    assertStringIncludes(out, 'Service "orders" in namespace "dev" is what it was. Ended: alice@');
    await practice.settled();
    assertEquals(objectsOf(practice), before);
  });

  it("says what is misused, and which rights are missing, before anything is changed", async () => {
    const words = async (...args: string[]) => {
      const { status, err } = await runHawser(args, env);
      return [status, err.split("\n")[0]];
    };
    assertEquals((await words("exchange", "orders"))[0], 2);
    assertEquals(await words("status", "--cluster", "-n", "deev"), [
      1,
      'hawser: There is no namespace "deev" in context "practice"',
    ]);
    assertStringIncludes((await runHawser(["recover", "order"], env)).out, 'There is no service "order" in namespace');
    assertEquals((await words("exchange", "orders", "--expose", "db.example:80:80"))[0], 2);
    assertEquals((await words("mesh", "orders", "--expose", "80", "--match", "x=y"))[0], 2);
    assertEquals(
      (await words("exchange", "order", ...expose()))[1],
      'hawser: There is no service "order" in namespace "dev". Did you mean "orders"?',
    );
    await practice.addUser({
      name: "reader",
      rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["get", "list", "watch"] }],
    });
    const reader = await home.kubeconfig("reader");
    const { status, err } = await runHawser(["exchange", "orders", ...expose(), "--kubeconfig", reader], env);
    assertEquals(status, 1);
    assertStringIncludes(err, "create, patch on services");
    assertStringIncludes(err, "create on pods/portforward");
    assertStringIncludes(err, "hawser doctor --rbac --inbound -n dev");
    const resources = ["services", "pods/portforward", "configmaps", "secrets", "deployments", "leases"];
    await practice.addUser({ name: "poor", rules: [] });
    const poor = await home.kubeconfig("poor");
    const surveyed = await runHawser(["status", "--cluster", "--kubeconfig", poor], env);
    assertStringIncludes(surveyed.err, "hawser status --cluster needs rights");
    await practice.addUser({ name: "blind", rules: [{ apiGroups: ["*"], resources, verbs: ["*"] }] });
    const blind = await home.kubeconfig("blind");
    for (const command of [["exchange"], ["mesh", "--version-mark", "blue"], ["preview"]]) {
      const [name = "", ...rest] = command;
      const target = name === "preview" ? "orders-next" : "orders";
      const refused = await runHawser([name, target, ...rest, ...expose(), "--kubeconfig", blind], env);
      assertStringIncludes(refused.err, 'in namespace "dev" that you do not have: get, list, watch on pods. Nothing');
    }
    assertEquals(objectsOf(practice), before);
  });
});
