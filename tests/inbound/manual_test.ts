import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { AgentConfig } from "../../src/agent/protocol.ts";
import type { InboundRequest } from "../../src/inbound/inbound.ts";
import { manualAgents } from "../../src/inbound/manual_agents.ts";
import { openInbound } from "../../src/inbound/open_inbound.ts";
import { survey } from "../../src/inbound/survey.ts";
import { parseVersionLabel } from "../../src/inbound/version_label.ts";
import { Failure } from "../../src/platform/failure.ts";
import type { PodObject } from "../practice/pod_object.ts";
import { exchangeOf, objectsOf, openScene, scaleOf, type Scene } from "./scene.ts";

const never = new AbortController().signal;

function manualOf(scene: Scene, name: string, mark: string, changes: Partial<InboundRequest> = {}): InboundRequest {
  const label = parseVersionLabel(mark);
  const { exposes } = scaleOf(name, scene.echoPort);
  const variant = { kind: "manual", label } as const;
  return exchangeOf(name, 1, {
    kind: "mesh",
    service: `orders-${label.value}`,
    among: "orders",
    exposes,
    variant,
    ...changes,
  });
}

describe("a mesh in manual mode", () => {
  it("is one more pod of the service with a label of its own, for each developer, and changes nothing else", async () => {
    await using scene = await openScene();
    const { practice, agent } = scene;
    const before = objectsOf(practice);
    const [one, two] = [await scene.laptop(), await scene.laptop()];
    const alice = await openInbound(manualOf(scene, "alice@one", "blue"), one.deps, never);
    const bob = await openInbound(manualOf(scene, "bob@two", "green"), two.deps, never);
    assertEquals(practice.get("services", "dev", "orders")?.metadata.annotations, undefined);
    const pods = practice.list<PodObject>("pods", "dev").filter(({ metadata }) => metadata.labels?.app === "orders");
    assertEquals(pods.map(({ metadata }) => metadata.labels?.version).sort(), ["blue", "green", undefined, undefined]);
    const own = pods.find(({ metadata }) => metadata.labels?.version === "blue");
    const [container] = own?.spec.containers ?? [];
    const config: AgentConfig = JSON.parse(container?.env?.find(({ name }) => name === "HAWSER_AGENT")?.value ?? "");
    // Out of the service while its laptop is away, so that others' requests do not come to it.
    assertEquals([config.ready, config.ports.map(({ origin }) => origin)], ["while-linked", [undefined, undefined]]);
    const held = await survey(one.api, "dev", never);
    assertEquals(held.map(({ service, state }) => `${service} ${state}`), [
      "orders-blue manual",
      "orders-green manual",
    ]);
    assertEquals(await manualAgents("dev", "orders", one.api, never), ["orders-blue", "orders-green"]);
    assertEquals(await manualAgents("dev", "order", one.api, never), []);
    assertEquals(held[0]?.participants.map(({ holding }) => holding?.mark), ['label version is "blue"']);
    assertEquals((await agent.deliver(8080, "hello")).reply, "hello");
    assertEquals(await alice.close(), { restored: true, others: [] });
    assertEquals(await bob.close(), { restored: true, others: [] });
    await practice.settled();
    assertEquals(objectsOf(practice), before);
  });

  it("is refused where the service selects by that label, where a port is left over, or where the service is diverted", async () => {
    await using scene = await openScene();
    const { practice } = scene;
    await practice.addService({ namespace: "dev", name: "stock" });
    const { deps, api } = await scene.laptop();
    await api.patch(
      "/api/v1/namespaces/dev/services/stock",
      "merge",
      { spec: { selector: { version: "v1" } } },
      {},
      never,
    );
    const before = objectsOf(practice);
    const refused = async (changes: Partial<InboundRequest>) => {
      const opening = () => openInbound(manualOf(scene, "alice@one", "blue", changes), deps, never);
      const { message } = await assertRejects(opening, Failure);
      return message;
    };
    assertStringIncludes(
      await refused({ among: "stock", exposes: [] }),
      "selects pods by the label version itself (v1)",
    );
    assertStringIncludes(await refused({ exposes: [{ host: undefined, local: 1, port: 7000 }] }), "port 80 (web)");
    assertEquals(objectsOf(practice), before);
    const bob = await openInbound(exchangeOf("bob@two", scene.echoPort), deps, never);
    assertStringIncludes(await refused({}), 'bob@two has diverted service "orders" to an agent');
    await bob.close();
  });
});

describe("parseVersionLabel", () => {
  it("takes a value, or a key and a value", () => {
    assertEquals(parseVersionLabel("blue"), { key: "version", value: "blue" });
    assertEquals(parseVersionLabel("VERSION:1.2"), { key: "version", value: "1.2" });
    assertEquals(parseVersionLabel("example.com/track: canary"), { key: "example.com/track", value: "canary" });
  });

  it("refuses what no label can be, quoting it", () => {
    for (const text of ["", "a b", "version:", "x:y:z", "-:a", `v:${"x".repeat(33)}`]) {
      assertStringIncludes(assertThrows(() => parseVersionLabel(text), TypeError).message, JSON.stringify(text));
    }
  });
});
