import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { openInbound } from "../../src/inbound/open_inbound.ts";
import { survey } from "../../src/inbound/survey.ts";
import { Failure } from "../../src/platform/failure.ts";
import { until } from "../fake_clock.ts";
import { exchangeOf, meshOf, objectsOf, openScene, selectorOf } from "./scene.ts";

const never = new AbortController().signal;

describe("an exchange", () => {
  it("brings what comes here, and leaves the namespace as it was", async () => {
    await using scene = await openScene();
    const { practice, agent } = scene;
    const before = objectsOf(practice);
    const { deps, api } = await scene.laptop();
    const inbound = await openInbound(exchangeOf("alice@one", scene.echoPort), deps, never);
    try {
      assertEquals(selectorOf(practice, "orders"), '{"hawser.dev/agent":"orders"}');
      assertEquals(await agent.deliver(8080, "hello"), { answer: { ok: true }, reply: "hello" });
      await until(() => inbound.served === 1, "the count");
      const [held] = await survey(api, "dev", never);
      assertEquals([held?.service, held?.state, held?.undo?.selector, held?.undo?.by], [
        "orders",
        "diverted",
        { app: "orders" },
        "alice@one",
      ]);
      assertEquals(held?.participants.map(({ owner, holding }) => [owner, holding]), [
        ["alice@one", { kind: "exchange", ports: [80], mark: "" }],
      ]);
    } finally {
      assertEquals(await inbound.close(), { restored: true, others: [] });
    }
    await practice.settled();
    assertEquals(objectsOf(practice), before);
    assertEquals(agent.seen.slice(-2), ["alice@one rules 0", "alice@one drain"]);
  });

  it("in a hurry waits for no request that is under way, and leaves the namespace as it was", async () => {
    await using scene = await openScene();
    const { practice, agent } = scene;
    const before = objectsOf(practice);
    const { deps } = await scene.laptop();
    const program = Deno.listen({ hostname: "127.0.0.1", port: 0 }); // takes a connection, and never says a word
    const inbound = await openInbound(exchangeOf("alice@one", program.addr.port), deps, never);
    const cut = assertRejects(() => agent.deliver(8080, "hello"));
    const taken = await program.accept();
    const started = performance.now();
    assertEquals(await inbound.close(AbortSignal.abort()), { restored: true, others: [] });
    assert(performance.now() - started < 4_000, "it waited as long as it does otherwise");
    await cut;
    for (const each of [taken, program]) each.close();
    await practice.settled();
    assertEquals(objectsOf(practice), before);
  });

  it("tells the agent when no program listens here", async () => {
    await using scene = await openScene();
    const { deps } = await scene.laptop();
    const inbound = await openInbound(exchangeOf("alice@one", 1), deps, never);
    const { answer } = await scene.agent.deliver(8080, "");
    await inbound.close();
    assertEquals(answer, { ok: false, kind: "refused", error: "nothing takes connections on 127.0.0.1:1" });
    assertStringIncludes(scene.told.join("\n"), "the original pods answer instead");
  });

  it("old_agent_goes: is not refused because a pod of the agent before is still there", async () => {
    await using scene = await openScene();
    const { deps } = await scene.laptop();
    scene.agent.strangers = 2;
    const inbound = await openInbound(exchangeOf("alice@one", scene.echoPort), deps, never);
    assertEquals((await scene.agent.deliver(8080, "hello")).reply, "hello");
    await inbound.close();
    assertEquals([scene.agent.strangers, new Set(scene.agent.tokens).size, scene.told], [0, 1, []]);
  });

  it("links up again after a cut, as the same owner", async () => {
    await using scene = await openScene();
    const { deps } = await scene.laptop();
    const inbound = await openInbound(exchangeOf("alice@one", scene.echoPort), deps, never);
    scene.agent.cut();
    await until(() => scene.told.length > 1, "the way back");
    assertEquals((await scene.agent.deliver(8080, "again")).reply, "again");
    await inbound.close();
    assertStringIncludes(scene.told[0]!, "broke: requests go to the original pods until it is back");
    assertStringIncludes(scene.told[1]!, "is back after");
  });
});

describe("several developers", () => {
  it("two_developers: share one agent, and the last one out restores", async () => {
    await using scene = await openScene();
    const { practice, agent } = scene;
    const before = objectsOf(practice);
    const [one, two] = [await scene.laptop(), await scene.laptop()];
    const alice = await openInbound(meshOf("alice@one", scene.echoPort, "header=version:blue"), one.deps, never);
    const bob = await openInbound(meshOf("bob@two", scene.echoPort, "header=version:green"), two.deps, never);
    assertEquals([alice.others, bob.others], [[], ["alice@one"]]);
    assertEquals(agent.owners().map(({ rules }) => rules.map(({ match }) => match[0]?.value)), [["blue"], ["green"]]);
    assertEquals(await alice.close(), { restored: false, others: ["bob@two"] });
    assertEquals(agent.owners().map(({ owner }) => owner), ["bob@two"]);
    assertEquals(selectorOf(practice, "orders"), '{"hawser.dev/agent":"orders"}');
    assertEquals(await bob.close(), { restored: true, others: [] });
    await practice.settled();
    assertEquals(objectsOf(practice), before);
  });

  it("same_mark_refused: the second is told whose it is, and changes nothing", async () => {
    await using scene = await openScene();
    const [one, two] = [await scene.laptop(), await scene.laptop()];
    const alice = await openInbound(meshOf("alice@one", scene.echoPort, "header=version:blue"), one.deps, never);
    const standing = objectsOf(scene.practice);
    const error = await assertRejects(
      () => openInbound(meshOf("bob@two", scene.echoPort, "header=version:blue"), two.deps, never),
      Failure,
    );
    assertStringIncludes(error.message, 'alice@one has the mark header version is "blue" on service "orders" already');
    assertEquals(objectsOf(scene.practice), standing);
    await alice.close();
  });

  it("at the same instant get one agent", async () => {
    await using scene = await openScene();
    const laptops = [await scene.laptop(), await scene.laptop()];
    const open = await Promise.all(
      laptops.map(({ deps }, at) =>
        openInbound(meshOf(`dev${at}`, scene.echoPort, `header=version:v${at}`), deps, never)
      ),
    );
    assertEquals([scene.agent.running, scene.agent.owners().length], [1, 2]);
    const farewells = await Promise.all(open.map((each) => each.close()));
    assertEquals(farewells.map(({ restored }) => restored).sort(), [false, true]);
  });
});

describe("a mesh", () => {
  it("is refused where nobody could read its mark, before anything is changed", async () => {
    await using scene = await openScene();
    const ports = [{ name: "https", port: 443, targetPort: "http" }];
    await scene.practice.addService({ namespace: "dev", name: "secret", ports });
    const before = objectsOf(scene.practice);
    const { deps } = await scene.laptop();
    const request = meshOf("alice@one", scene.echoPort, "header=version:blue", {
      service: "secret",
      exposes: [{ host: undefined, local: scene.echoPort, port: 443 }],
    });
    await assertRejects(() => openInbound(request, deps, never), Failure, "carries TLS");
    assertEquals(objectsOf(scene.practice), before);
  });
});

describe("an agent that cannot start", () => {
  it("image_cannot_be_pulled: is told with Kubernetes' reason, and everything is rolled back", async () => {
    await using scene = await openScene();
    const before = objectsOf(scene.practice);
    const { deps } = await scene.laptop();
    const request = exchangeOf("alice@one", scene.echoPort, { image: { image: "nowhere/none:1", pullSecrets: [] } });
    const error = await assertRejects(() => openInbound(request, deps, never), Failure);
    assert(/ErrImagePull|ImagePullBackOff/.test(error.message), error.message);
    assertStringIncludes(error.message, "--agent-image");
    await scene.practice.settled();
    assertEquals(objectsOf(scene.practice), before);
  });
});

describe("what others do to the service meanwhile", () => {
  it("service_edited_meanwhile: is told once, left alone, and not overwritten at the end", async () => {
    await using scene = await openScene();
    const { deps, api } = await scene.laptop();
    const inbound = await openInbound(exchangeOf("alice@one", scene.echoPort), deps, never);
    const theirs = { spec: { selector: { "hawser.dev/agent": null, app: "orders-v2" } } };
    await api.patch("/api/v1/namespaces/dev/services/orders", "merge", theirs, {}, never);
    await until(() => scene.told.length > 0, "word of it");
    assertEquals(await inbound.close(), { restored: true, others: [], theirs: "selector" });
    assertEquals(scene.told.slice(1), []);
    assertStringIncludes(scene.told[0]!, "It is left so");
    assertEquals(selectorOf(scene.practice, "orders"), '{"app":"orders-v2"}');
    assertEquals(scene.practice.get("services", "dev", "orders")?.metadata.annotations, undefined);
  });

  it("says at the end that the service was deleted, and takes its own away", async () => {
    await using scene = await openScene();
    const { deps } = await scene.laptop();
    const inbound = await openInbound(exchangeOf("alice@one", scene.echoPort), deps, never);
    await scene.practice.remove("services", "dev", "orders");
    await until(() => scene.told.length > 0, "word of it");
    assertStringIncludes(scene.told[0]!, "start it again once the service is there");
    assertEquals(await inbound.close(), { restored: true, others: [], theirs: "deleted" });
    await scene.practice.settled();
    assertEquals(scene.practice.get("deployments.apps", "dev", "orders-hawser"), undefined);
  });

  it("an apply that merges selectors does not leave the service without pods", async () => {
    await using scene = await openScene();
    const { deps, api } = await scene.laptop();
    const inbound = await openInbound(exchangeOf("alice@one", scene.echoPort), deps, never);
    await api.patch(
      "/api/v1/namespaces/dev/services/orders",
      "merge",
      { spec: { selector: { app: "orders" } } },
      {},
      never,
    );
    const selector = () => selectorOf(scene.practice, "orders");
    await scene.practice.until(() => selector() === '{"app":"orders"}' || undefined);
    await inbound.close();
    assertEquals(selector(), '{"app":"orders"}');
  });

  it("is undone where the user insists, and the end gives back theirs", async () => {
    await using scene = await openScene();
    const { deps, api } = await scene.laptop();
    const inbound = await openInbound(exchangeOf("alice@one", scene.echoPort, { insist: true }), deps, never);
    const theirs = { spec: { selector: { "hawser.dev/agent": null, app: "orders-v2" } } };
    const selector = (name: string) => selectorOf(scene.practice, name);
    await api.patch("/api/v1/namespaces/dev/services/orders", "merge", theirs, {}, never);
    await scene.practice.until(() => selector("orders") === '{"hawser.dev/agent":"orders"}' || undefined);
    assertEquals(selector("orders-hawser-origin"), '{"app":"orders-v2"}');
    await inbound.close();
    assertEquals(selector("orders"), '{"app":"orders-v2"}');
  });

  it("an agent that somebody deletes is made anew", async () => {
    await using scene = await openScene();
    const { deps } = await scene.laptop();
    const inbound = await openInbound(exchangeOf("alice@one", scene.echoPort), deps, never);
    await scene.practice.remove("deployments.apps", "dev", "orders-hawser");
    await until(
      () => scene.agent.owners().some(({ rules }) => rules.length === 1) && scene.agent.running === 1,
      "the agent",
    );
    assertEquals((await scene.agent.deliver(8080, "again")).reply, "again");
    assertEquals((await inbound.close()).restored, true);
  });
});

describe("a preview", () => {
  it("makes a service of its own, and takes it away again", async () => {
    await using scene = await openScene();
    const before = objectsOf(scene.practice);
    const { deps } = await scene.laptop();
    const inbound = await openInbound(
      exchangeOf("alice@one", scene.echoPort, { kind: "preview", service: "fresh", fallback: "error" }),
      deps,
      never,
    );
    assertEquals((await scene.agent.deliver(80, "new")).reply, "new");
    await inbound.close();
    await scene.practice.settled();
    assertEquals(objectsOf(scene.practice), before);
  });

  it("does not touch a service that exists", async () => {
    await using scene = await openScene();
    const before = objectsOf(scene.practice);
    const { deps } = await scene.laptop();
    const request = exchangeOf("alice@one", scene.echoPort, { kind: "preview" });
    await assertRejects(() => openInbound(request, deps, never), Failure, "exists already");
    assertEquals(objectsOf(scene.practice), before);
  });
});
