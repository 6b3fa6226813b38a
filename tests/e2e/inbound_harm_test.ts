import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Counters } from "../practice/counters.ts";
import { Line } from "../practice/line.ts";
import { startAnswering } from "./answering_program.mjs";
import { eventually, InboundScene } from "./inbound_scene.ts";
import { together } from "./together.ts";
import { apiServer, writeKubeconfig } from "./users.ts";

describe("what befalls those who bring traffic in", () => {
  const stack = new AsyncDisposableStack();
  /** Between one hawser and the API server. */
  const line = new Line(new Counters());
  let inbound: InboundScene;
  let port: number;
  let before: readonly unknown[];

  beforeAll(async () => {
    inbound = stack.use(await InboundScene.open("harm"));
    port = stack.use(await startAnswering("laptop", { host: "127.0.0.1" })).httpPort;
    ({ host: line.host, port: line.to } = await apiServer());
    await line.listen();
    stack.defer(() => line.close());
    const names = ["killed", "holed", "asleep", "evicted", "rolled", "edited", "insisted"];
    await Promise.all(names.map((name) => inbound.serve(name)));
    before = await inbound.objects();
  });

  afterAll(() => stack.disposeAsync());

  /** Names of the agent's pods for a service that are not on their way out. */
  async function agents(service: string): Promise<string[]> {
    const { items }: { items: { metadata: { name: string; deletionTimestamp?: string } }[] } = JSON.parse(
      await inbound.scene.kubectl("get", "pods", "-l", `hawser.dev/agent=${service}`, "-o", "json"),
    );
    return items.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.name);
  }

  async function select(service: string, selector: unknown): Promise<void> {
    const patch = JSON.stringify([{ op: "replace", path: "/spec/selector", value: selector }]);
    await inbound.scene.kubectl("patch", "service", service, "--type=json", "-p", patch);
  }

  together({
    "laptop_killed_during_exchange: requests under way alone are lost, and recover puts the service back": async () => {
      const before = await inbound.state("killed");
      const exchange = await inbound.started("exchange", "killed", port);
      const traffic = await inbound.load("killed");
      await exchange.stop("SIGKILL");
      await inbound.answers("killed", "web", 15_000);
      const { failed } = await traffic.stop();
      assert(failed.length <= 4, `more than what was under way: ${failed}`);
      const recovered = await inbound.run("recover", "killed");
      assertEquals([recovered.code, recovered.stderr.includes("rror")], [0, false]);
      assertEquals(await inbound.ask("killed"), "web");
      await inbound.restored("killed", before);
    },

    "link_black_holed: the original pods answer within 15 s, and the laptop again once the line is mended":
      async () => {
        const before = await inbound.state("holed");
        const kubeconfig = await writeKubeconfig(`${inbound.home.folder}/line.kubeconfig`, {
          user: inbound.user,
          port: line.port,
          namespace: inbound.scene.namespace,
        });
        const exchange = await inbound.started("exchange", "holed", port, "--kubeconfig", kubeconfig);
        line.swallows = true;
        await inbound.answers("holed", "web", 15_000);
        await exchange.says(/The link to the agent of "holed" broke/, 20_000);
        line.swallows = false;
        await inbound.answers("holed", "laptop", 15_000);
        assertEquals((await exchange.stop()).code, 130);
        await inbound.restored("holed", before);
      },

    "laptop_suspended: the original pods answer within 15 s, and the laptop again when it wakes up": async () => {
      const before = await inbound.state("asleep");
      const exchange = await inbound.started("exchange", "asleep", port);
      exchange.kill("SIGSTOP");
      await inbound.answers("asleep", "web", 15_000);
      exchange.kill("SIGCONT");
      await inbound.answers("asleep", "laptop", 20_000);
      assertEquals((await exchange.stop()).code, 130);
      await inbound.restored("asleep", before);
    },

    "agent_evicted: its end fails no request, and another has the rules within 10 s": async () => {
      const before = await inbound.state("evicted");
      const exchange = await inbound.started("exchange", "evicted", port);
      const traffic = await inbound.load("evicted");
      const [agent = ""] = await agents("evicted");
      const { namespace } = inbound.scene;
      const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: agent, namespace } };
      const path = `/api/v1/namespaces/${namespace}/pods/${agent}/eviction`;
      await inbound.post(path, eviction);
      await eventually(
        async () => {
          return (await agents("evicted")).length > 0 && await inbound.ask("evicted") === "laptop";
        },
        10_000,
        () => "another agent has the rules",
      );
      await exchange.stop();
      assertEquals((await traffic.stop()).failed, []);
      await inbound.restored("evicted", before);
    },

    "agent_restarted: kubectl rollout restart fails no request": async () => {
      const before = await inbound.state("rolled");
      const exchange = await inbound.started("exchange", "rolled", port);
      const traffic = await inbound.load("rolled");
      const [former] = await agents("rolled");
      await inbound.scene.kubectl("rollout", "restart", "deployment/rolled-hawser");
      await inbound.scene.ready("deployment/rolled-hawser");
      assertEquals((await agents("rolled")).includes(former!), false);
      await inbound.answers("rolled", "laptop", 10_000);
      await exchange.stop();
      const { failed, answered } = await traffic.stop();
      assertEquals(failed, []);
      assert(answered > 100, `only ${answered} requests`);
      await inbound.restored("rolled", before);
    },

    "service_edited_meanwhile: it is told, left so, and the undo changes nothing of it": async () => {
      const exchange = await inbound.started("exchange", "edited", port);
      const former = JSON.parse(await inbound.scene.kubectl("get", "service", "edited", "-o", "json"));
      assertEquals(Object.keys(former.spec.selector), ["hawser.dev/agent"]);
      await select("edited", { app: "web", tier: "none" });
      await exchange.says(/Somebody has changed the selector of service "edited"/, 5_000);
      const { code, stderr } = await exchange.stop();
      assertEquals(code, 130, stderr);
      const after = JSON.parse(await inbound.scene.kubectl("get", "service", "edited", "-o", "json"));
      assertEquals(after.spec.selector, { app: "web", tier: "none" });
      assertEquals(after.metadata.annotations?.["hawser.dev/undo"], undefined);
      await select("edited", { app: "web" });
      await eventually(async () => await inbound.ours("edited") === "", 30_000, () => "nothing is left for edited");
    },

    "service_edited_meanwhile: with --insist it is diverted again, and undone to what the others wanted": async () => {
      const exchange = await inbound.started("exchange", "insisted", port, "--insist");
      await inbound.scene.kubectl("label", "pods", "-l", "app=web", "role=front", "--overwrite");
      await select("insisted", { role: "front" });
      await exchange.says(/diverting it again \(--insist\)/, 5_000);
      await inbound.answers("insisted", "laptop", 10_000);
      await exchange.stop();
      const { spec } = JSON.parse(await inbound.scene.kubectl("get", "service", "insisted", "-o", "json"));
      assertEquals(spec.selector, { role: "front" });
      assertEquals(await inbound.ask("insisted"), "web");
      await select("insisted", { app: "web" });
      await inbound.scene.kubectl("label", "pods", "-l", "app=web", "role-");
      await eventually(async () => await inbound.ours("insisted") === "", 30_000, () => "nothing is left for insisted");
    },

    "service_deleted_meanwhile: it is told, and nothing is left": async () => {
      await inbound.serve("deleted");
      const exchange = await inbound.started("exchange", "deleted", port);
      await inbound.scene.kubectl("delete", "service", "deleted");
      await exchange.says(/Somebody has deleted service "deleted"/, 5_000);
      const { code, stderr } = await exchange.stop();
      assertEquals(code, 130, stderr);
      await eventually(async () => await inbound.ours("deleted") === "", 30_000, () => "nothing is left for deleted");
    },
  });

  it("leaves every object of the namespace as it was", async () => {
    await inbound.nothingLeft();
    assertEquals(await inbound.objects(), before);
  });
});
