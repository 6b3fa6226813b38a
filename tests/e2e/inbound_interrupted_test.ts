import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { startAnswering } from "./answering_program.mjs";
import { startCountingProxy } from "./counting_proxy.ts";
import type { RunningHawser } from "./hawser.ts";
import { InboundScene } from "./inbound_scene.ts";
import { roleBinding, tokenUser, writeKubeconfig } from "./users.ts";

/** Exchanges that go on at the same time. */
const lanes = 8;

describe("interrupted_at_every_step", () => {
  const stack = new AsyncDisposableStack();
  let inbound: InboundScene;
  let port: number;
  let user: Awaited<ReturnType<typeof tokenUser>>;
  let before: readonly unknown[];
  /** The writes of an exchange that nothing befalls: those until it stands, and all of them. */
  let beginning: number, all: number;
  let cleaning: ReturnType<InboundScene["run"]> | undefined;

  beforeAll(async () => {
    inbound = stack.use(await InboundScene.open("interrupted"));
    port = stack.use(await startAnswering("laptop", { host: "127.0.0.1" })).httpPort;
    const { namespace } = inbound.scene;
    // The way through the proxy is no TLS connection of hawser's, so that it needs a user with a token.
    await inbound.scene.apply(
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "user" } },
      roleBinding("account", { kind: "Role", name: "hawser" }, { kind: "ServiceAccount", name: "user", namespace }),
    );
    user = await tokenUser(inbound.scene, "user");
    await inbound.serve("calm");
    const seen = await exchange("calm", () => {});
    [beginning, all] = [seen.beginning, seen.writes.length];
    assert(beginning >= 8 && all > beginning + 3, `${beginning} of ${seen.writes}: ${seen.stderr}`);
    const names = steps().flatMap((step) => [`killed-${step}`, ...step <= beginning ? [`stopped-${step}`] : []]);
    await Promise.all(names.map((name) => inbound.serve(name)));
    before = await inbound.objects();
  });

  afterAll(() => stack.disposeAsync());

  function steps(): readonly number[] {
    return Array.from({ length: all }, (_, at) => at + 1);
  }

  /** Exchanges a service, to be ended by Ctrl-C once it stands; `onWrite` may do something else after each write. */
  async function exchange(name: string, onWrite: (hawser: RunningHawser, count: number) => void) {
    await using proxy = await startCountingProxy((count) => onWrite(hawser, count));
    const kubeconfig = await writeKubeconfig(`${inbound.home.folder}/${name}.kubeconfig`, {
      user,
      namespace: inbound.scene.namespace,
      cluster: { server: proxy.server, "certificate-authority-data": undefined },
    });
    const hawser = inbound.start("exchange", name, port, "--kubeconfig", kubeconfig);
    let beginning = 0;
    const stands = hawser.line().then(() => {
      beginning = proxy.writes.length;
      hawser.kill("SIGINT");
    });
    await stands.catch(() => {}); // it may be made to end before
    const ended = await hawser.ended;
    return { ...ended, beginning, writes: proxy.writes };
  }

  /** Does something for each of some steps, several at a time. */
  async function each(numbers: readonly number[], action: (step: number) => Promise<void>): Promise<void> {
    const waiting = [...numbers];
    await Promise.all(Array.from({ length: lanes }, async () => {
      for (let step; (step = waiting.shift()) !== undefined;) await action(step);
    }));
  }

  it("kill -9 after any single write: the original pods answer all the time", async () => {
    await each(steps(), async (step) => {
      const name = `killed-${step}`;
      await exchange(name, (hawser, count) => count === step && hawser.kill("SIGKILL"));
      await inbound.answers(name, "web", 15_000);
    });
    assert((await inbound.ours()).includes("killed-"), "nothing was left to clean");
    cleaning = inbound.run("clean"); // it has to watch for 40 s who lives
  });

  it("Ctrl-C after any single write: the service is what it was, and nothing is left", async () => {
    await each(steps().slice(0, beginning), async (step) => {
      const name = `stopped-${step}`;
      const before = await inbound.state(name);
      const { code, stderr } = await exchange(name, (hawser, count) => count === step && hawser.kill("SIGINT"));
      assertEquals(code, 130, stderr);
      await inbound.restored(name, before);
    });
  });

  it("clean, without the laptops, gives back every service that a killed one has left", async () => {
    const { code, stdout, stderr } = await cleaning!;
    assertEquals(code, 0, stdout + stderr);
    await each(steps(), async (step) => assertEquals(await inbound.ask(`killed-${step}`), "web"));
  });

  it("leaves every object of the namespace as it was", async () => {
    await inbound.nothingLeft();
    assertEquals(await inbound.objects(), before);
  });
});
