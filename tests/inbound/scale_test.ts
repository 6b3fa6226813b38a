import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { clean } from "../../src/inbound/clean.ts";
import { openInbound } from "../../src/inbound/open_inbound.ts";
import { renewInterval } from "../../src/inbound/participation.ts";
import { recover } from "../../src/inbound/recover.ts";
import { survey } from "../../src/inbound/survey.ts";
import type { Clock } from "../../src/platform/clock.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { Failure } from "../../src/platform/failure.ts";
import { until } from "../fake_clock.ts";
import type { PodObject } from "../practice/pod_object.ts";
import { serviceManifests } from "../practice/service_manifests.ts";
import { fastClock } from "./fast_clock.ts";
import { exchangeOf, lastingObjectsOf, openScene, replicasOf, scaleOf, type Scene } from "./scene.ts";

const never = new AbortController().signal;
const fast = 50;

/** Whoever looks by a fast clock sees Leases renewed at its pace. */
const pacedClock: Clock = {
  ...systemClock,
  after: (ms, action) => systemClock.after(ms === renewInterval ? ms / fast : ms, action),
};

function podsOf(scene: Scene): PodObject[] {
  return scene.practice.list<PodObject>("pods", "dev").filter(({ metadata }) => !metadata.deletionTimestamp);
}

async function patchReplicas(scene: Scene, replicas: number): Promise<void> {
  const { api } = await scene.laptop();
  const path = "/apis/apps/v1/namespaces/dev/deployments/orders/scale";
  await api.patch(path, "merge", { spec: { replicas } }, {}, never);
}

/** The message with which a request is refused; nothing is changed by it. */
async function refusal(scene: Scene, changes: Parameters<typeof scaleOf>[2] = {}, clock?: Clock): Promise<string> {
  const before = lastingObjectsOf(scene.practice);
  const { deps } = await scene.laptop();
  const request = scaleOf("bob@two", scene.echoPort, changes);
  const opening = () => openInbound(request, { ...deps, clock: clock ?? deps.clock }, never);
  const { message } = await assertRejects(opening, Failure);
  assertEquals(lastingObjectsOf(scene.practice), before);
  return message;
}

describe("an exchange in scale mode", () => {
  it("puts one pod with the workload's labels in the place of its pods, and gives them back", async () => {
    await using scene = await openScene();
    const { practice, agent } = scene;
    const before = lastingObjectsOf(practice);
    const { deps, api } = await scene.laptop();
    const inbound = await openInbound(scaleOf("alice@one", scene.echoPort), deps, never);
    assertEquals(replicasOf(practice, "orders"), 0);
    assertEquals(practice.get("services", "dev", "orders")?.metadata.annotations, undefined);
    const [pod, ...more] = podsOf(scene);
    assertEquals([pod?.metadata.labels?.app, pod?.metadata.labels?.["hawser.dev/agent"], more], [
      "orders",
      "orders",
      [],
    ]);
    assertEquals(pod?.metadata.ownerReferences?.map(({ kind, name }) => `${kind} ${name.slice(0, 13)}`), [
      "ReplicaSet orders-hawser",
    ]);
    assertEquals((await agent.deliver(8080, "hello")).reply, "hello");
    assertEquals((await agent.deliver(7000, "raw")).reply, "raw");
    const [held] = await survey(api, "dev", never);
    assertEquals([held?.state, held?.scaled?.workload, held?.scaled?.replicas, held?.scaled?.by], [
      "scaled",
      "deployment/orders",
      2,
      "alice@one",
    ]);
    assertEquals(held?.participants.map(({ holding }) => holding?.variant), ["scale"]);
    assertEquals(await inbound.close(), { restored: true, others: [] });
    await practice.settled();
    assertEquals(lastingObjectsOf(practice), before);
    assertEquals(podsOf(scene).map(({ metadata }) => metadata.labels?.app), ["orders", "orders"]);
    // Until the agent has gone its rules stand: nobody else is there to answer what comes to it still.
    assertEquals(agent.seen.slice(-1), ["alice@one drain"]);
  });

  it("in a hurry waits for no pod, and leaves all as it was", async () => {
    await using scene = await openScene();
    const before = lastingObjectsOf(scene.practice);
    const { deps } = await scene.laptop();
    let states: string[] = [];
    const onProgress = (state: string) => void states.push(state);
    const inbound = await openInbound(scaleOf("alice@one", scene.echoPort), { ...deps, onProgress }, never);
    states = [];
    assertEquals((await inbound.close(AbortSignal.abort())).restored, true);
    assertEquals(states.filter((state) => state.startsWith("Waiting for the pods")), []);
    await scene.practice.settled();
    assertEquals(lastingObjectsOf(scene.practice), before);
  });

  it("scales a statefulset, too", async () => {
    await using scene = await openScene();
    await scene.practice.addService({ namespace: "dev", name: "stock", kind: "Headless", replicas: 2 });
    const before = lastingObjectsOf(scene.practice);
    const { deps } = await scene.laptop();
    const exposes = [{ host: undefined, local: scene.echoPort, port: 80 }];
    const inbound = await openInbound(scaleOf("alice@one", 1, { service: "stock", exposes }), deps, never);
    assertEquals(podsOf(scene).filter(({ metadata }) => metadata.labels?.app === "stock").length, 1);
    await inbound.close();
    await scene.practice.settled();
    assertEquals(lastingObjectsOf(scene.practice), before);
  });

  it("laptop_killed_during_scale_mode: clean brings the pods back, to the identical object", async () => {
    await using scene = await openScene();
    const before = lastingObjectsOf(scene.practice);
    const [victim, other] = [await scene.laptop(), await scene.laptop()];
    const zombie = await openInbound(scaleOf("alice@one", scene.echoPort), victim.deps, never);
    victim.kill();
    const deps = { api: other.api, clock: fastClock(fast) };
    const planned = await clean({ namespace: "dev", dryRun: true, holder: "carol@three" }, deps, never);
    assertEquals(planned.map(({ held, outcome }) => [held.scaled?.replicas, outcome]), [[2, "restored"]]);
    assertEquals(replicasOf(scene.practice, "orders"), 0);
    const done = await clean({ namespace: "dev", dryRun: false, holder: "carol@three" }, deps, never);
    assertEquals(done.map(({ held, outcome }) => `${held.service} ${outcome}`), ["orders restored"]);
    await zombie.close().catch(() => {});
    await scene.practice.settled();
    assertEquals(lastingObjectsOf(scene.practice), before);
  });

  it("laptop_killed_during_scale_mode: whoever exchanges the service next finishes it, whatever the mode", async () => {
    await using scene = await openScene();
    const before = lastingObjectsOf(scene.practice);
    const [victim, next] = [await scene.laptop(), await scene.laptop()];
    const zombie = await openInbound(scaleOf("alice@one", scene.echoPort), victim.deps, never);
    victim.kill();
    const waiting: string[] = [];
    const deps = { ...next.deps, clock: fastClock(10), onProgress: (state: string) => void waiting.push(state) };
    const inbound = await openInbound(exchangeOf("bob@two", scene.echoPort), deps, never);
    assertStringIncludes(waiting.join("\n"), "held by alice@one; watching for up to 40 s");
    assertEquals(replicasOf(scene.practice, "orders"), 2);
    assertEquals((await scene.agent.deliver(8080, "next")).reply, "next");
    await inbound.close();
    await zombie.close().catch(() => {});
    await scene.practice.settled();
    assertEquals(lastingObjectsOf(scene.practice), before);
  });

  it("recover ends it, and the laptop is told", async () => {
    await using scene = await openScene();
    const before = lastingObjectsOf(scene.practice);
    const [alice, other] = [await scene.laptop(), await scene.laptop()];
    const inbound = await openInbound(scaleOf("alice@one", scene.echoPort), alice.deps, never);
    const options = { namespace: "dev", service: "orders", holder: "carol@three" };
    const done = await recover(options, { api: other.api, clock: systemClock }, never);
    assertEquals(done, { selector: false, agent: true, workload: "deployment/orders", ended: ["alice@one"] });
    assertStringIncludes(await inbound.over, "was recovered");
    await inbound.close();
    await scene.practice.settled();
    assertEquals(lastingObjectsOf(scene.practice), before);
  });
});

describe("one developer at a time has a service in scale mode", () => {
  it("so that a second one, and any other exchange, is refused with the holder's name", async () => {
    await using scene = await openScene();
    const { deps } = await scene.laptop();
    const alice = await openInbound(scaleOf("alice@one", scene.echoPort), { ...deps, clock: pacedClock }, never);
    const second = await refusal(scene, {}, fastClock(fast));
    assertStringIncludes(second, 'alice@one exchanges service "orders" with --mode scale, which one developer');
    assertStringIncludes(second, "hawser recover orders -n dev");
    const ordinary = await refusal(scene, { variant: undefined }, fastClock(fast));
    assertStringIncludes(ordinary, 'alice@one exchanges service "orders" with --mode scale');
    await alice.close();
  });

  it("so that it is refused where somebody exchanges the service by its selector", async () => {
    await using scene = await openScene();
    const { deps } = await scene.laptop();
    const alice = await openInbound(exchangeOf("alice@one", scene.echoPort), { ...deps, clock: pacedClock }, never);
    assertStringIncludes(
      await refusal(scene, {}, fastClock(fast)),
      'alice@one exchanges service "orders", and this needs it for you alone',
    );
    assertEquals((await scene.agent.deliver(8080, "undisturbed")).reply, "undisturbed");
    await alice.close();
  });
});

describe("what others do to the workload meanwhile", () => {
  it("replicas_changed_meanwhile: is told, left alone, and not overwritten at the end", async () => {
    await using scene = await openScene();
    const { deps } = await scene.laptop();
    const paced = { ...deps, clock: { ...systemClock, sleep: quickly } };
    const inbound = await openInbound(scaleOf("alice@one", scene.echoPort), paced, never);
    await patchReplicas(scene, 5);
    await until(() => scene.told.length > 0, "word of it");
    assertStringIncludes(scene.told.join("\n"), "Somebody has scaled deployment/orders to 5");
    await inbound.close();
    await scene.practice.settled();
    assertEquals(replicasOf(scene.practice, "orders"), 5);
    const { labels, annotations } = scene.practice.get("deployments.apps", "dev", "orders")!.metadata;
    assertEquals([labels, annotations], [{ app: "orders" }, undefined]);
  });

  it("replicas_changed_meanwhile: is undone where the user insists, and theirs is what comes back", async () => {
    await using scene = await openScene();
    const { deps } = await scene.laptop();
    const paced = { ...deps, clock: { ...systemClock, sleep: quickly } };
    const inbound = await openInbound(scaleOf("alice@one", scene.echoPort, { insist: true }), paced, never);
    await patchReplicas(scene, 3);
    await scene.practice.until(() => replicasOf(scene.practice, "orders") === 0 || undefined);
    await inbound.close();
    assertEquals(replicasOf(scene.practice, "orders"), 3);
  });
});

/** The looks that a running exchange takes come at once. */
function quickly(ms: number, signal?: AbortSignal): Promise<void> {
  return systemClock.sleep(Math.min(ms, 50), signal);
}

describe("scale mode is refused before anything is changed", () => {
  it("hpa_refused: where an autoscaler is at the workload", async () => {
    await using scene = await openScene();
    await scene.practice.apply({
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "orders-scaler", namespace: "dev" },
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "orders" },
        minReplicas: 2,
        maxReplicas: 6,
      },
    });
    assertStringIncludes(
      await refusal(scene),
      'The autoscaler "orders-scaler" keeps deployment/orders between 2 and 6 pods, and it and hawser would fight over it',
    );
  });

  it("where a port would be answered by nobody, which it lists", async () => {
    await using scene = await openScene();
    const exposes = [{ host: undefined, local: scene.echoPort, port: 80 }];
    assertStringIncludes(
      await refusal(scene, { exposes }),
      'nothing here would answer port 7000 (raw) of service "orders"',
    );
  });

  it("where there is nothing to scale: no replicas, a daemonset, a pod of nobody's, several workloads, somebody's controller", async () => {
    await using scene = await openScene();
    const { practice } = scene;
    await patchReplicas(scene, 0);
    assertStringIncludes(
      await refusal(scene),
      'deployment/orders behind service "orders" in namespace "dev" has no pods already',
    );
    await patchReplicas(scene, 1);
    await practice.settled();
    const [, workload] = serviceManifests({ namespace: "dev", name: "other" });
    const template = { metadata: { labels: { app: "orders", track: "canary" } }, spec: specOf(workload) };
    const selector = { matchLabels: { app: "orders", track: "canary" } };
    const metadata = { name: "other", namespace: "dev" };
    await practice.apply({ ...workload!, metadata, spec: { replicas: 1, selector, template } });
    assertStringIncludes(await refusal(scene), "several workloads: deployment/orders, deployment/other");
    await practice.remove("deployments.apps", "dev", "other");
    await practice.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...metadata, labels: { app: "orders" } },
      spec: template.spec,
    });
    assertStringIncludes(
      await refusal(scene),
      'Pod "other" of service "orders" in namespace "dev" belongs to no workload',
    );
    await practice.remove("pods", "dev", "other");
    await practice.until(() => practice.get("pods", "dev", "other") ? undefined : true);
    const owner = { apiVersion: "argoproj.io/v1alpha1", kind: "Rollout", name: "orders", uid: "1", controller: true };
    const { api } = await scene.laptop();
    const path = "/apis/apps/v1/namespaces/dev/deployments/orders";
    await api.patch(path, "merge", { metadata: { ownerReferences: [owner] } }, {}, never);
    assertStringIncludes(
      await refusal(scene),
      'deployment/orders belongs to Rollout "orders" (argoproj.io/v1alpha1), which would scale it up again',
    );
    await practice.remove("deployments.apps", "dev", "orders");
    await practice.apply({ apiVersion: "apps/v1", kind: "DaemonSet", metadata, spec: { selector, template } });
    await practice.until(() =>
      podsOf(scene).some(({ metadata }) => metadata.ownerReferences?.[0]?.kind === "DaemonSet") &&
        podsOf(scene).length === 1 || undefined
    );
    assertStringIncludes(await refusal(scene), "is daemonset/other (apps/v1), and only deployments and statefulsets");
  });
});

function specOf(workload: unknown): unknown {
  const { spec } = workload as { spec: { template: { spec: unknown } } }; // of serviceManifests
  return spec.template.spec;
}
