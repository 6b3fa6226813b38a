import { assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { eventually, InboundScene } from "./inbound_scene.ts";

/** Whatever is exposed: nothing comes that far. */
const port = 9;

describe("what cannot be brought in", () => {
  const stack = new AsyncDisposableStack();
  let inbound: InboundScene;
  let before: readonly unknown[];

  beforeAll(async () => {
    inbound = stack.use(await InboundScene.open("refused"));
    before = await inbound.objects();
  });

  afterAll(() => stack.disposeAsync());

  /** Milliseconds from when a condition held in the cluster to hawser's end. */
  async function toldAfter(
    hawser: ReturnType<InboundScene["start"]>,
    known: () => Promise<boolean>,
    what: string,
  ): Promise<number> {
    let over = false;
    hawser.ended.then(() => over = true);
    await eventually(async () => over || await known(), 60_000, () => what);
    const since = performance.now();
    await eventually(async () => (await Promise.resolve(), hawser.stderr.includes("cannot start")), 5_000, () => what);
    return performance.now() - since;
  }

  it("image_cannot_be_pulled: Kubernetes' reason within 5 s, and all is as it was", async () => {
    const hawser = inbound.start("exchange", "web", port, "--agent-image", "registry.invalid/no/node:1");
    const waiting = "{.items[*].status.containerStatuses[0].state.waiting.reason}";
    const known = async () =>
      /Err|BackOff/.test((await inbound.scene.find(["pods", "-l", "hawser.dev/agent=web"], waiting)).join());
    await toldAfter(hawser, known, "the pull fails");
    const { code, stdout, stderr } = await hawser.ended;
    assertEquals([code, stdout], [1, ""]);
    assertMatch(
      stderr,
      /cannot start: (ErrImagePull|ImagePullBackOff): .*registry\.invalid\/no\/node:1.*--agent-image/s,
    );
    await inbound.restored("web", await inbound.state("web"));
    assertEquals(await inbound.objects(), before);
  });

  it("quota_exceeded: Kubernetes' reason within 5 s, and all is as it was", async () => {
    const quota = {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "full" },
      spec: { hard: { pods: "3" } },
    };
    await inbound.scene.apply(quota);
    await inbound.scene.kubectl("wait", "quota", "full", "--for=jsonpath={.status.used.pods}=3", "--timeout=20s");
    const hawser = inbound.start("exchange", "web", port);
    const reasons = '{.items[*].status.conditions[?(@.type=="ReplicaFailure")].reason}';
    const known = async () => (await inbound.scene.find(["deployments"], reasons)).length > 0;
    await toldAfter(hawser, known, "the quota refuses the pod");
    const { code, stderr } = await hawser.ended;
    assertEquals(code, 1);
    assertMatch(stderr, /cannot start: FailedCreate: .*exceeded quota: full/);
    await inbound.scene.kubectl("delete", "quota", "full");
    assertEquals(await inbound.objects(), before);
  });

  it("one right too few is a sentence, and nothing is changed", async () => {
    const role = JSON.parse(await inbound.scene.kubectl("get", "role", "hawser", "-o", "json"));
    const poorer = role.rules.filter(({ resources }: { resources: string[] }) => !resources.includes("secrets"));
    await inbound.scene.kubectl("patch", "role", "hawser", "--type=merge", "-p", JSON.stringify({ rules: poorer }));
    const { code, stderr } = await inbound.start("exchange", "web", port).ended;
    assertEquals(code, 1);
    assertMatch(stderr, /^hawser: .*get, create on secrets\. Nothing was changed\. .*hawser doctor --rbac --inbound/);
    await inbound.scene.kubectl("patch", "role", "hawser", "--type=merge", "-p", JSON.stringify({ rules: role.rules }));
    assertEquals(await inbound.objects(), before);
  });
});
