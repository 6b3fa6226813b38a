import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { KubeObject, Manifest } from "./kube_object.ts";
import type { PodObject } from "./pod_object.ts";
import { startPractice } from "./practice.ts";
import type { Practice } from "./practice.ts";
import { PracticeClient } from "./practice_client.ts";
import { serviceManifests } from "./service_manifests.ts";

interface Event extends KubeObject {
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly involvedObject: { readonly kind: string };
}

function pods(practice: Practice): readonly PodObject[] {
  return practice.list<PodObject>("pods", "dev");
}

function events(practice: Practice): string[] {
  return practice.list<Event>("events", "dev").map(({ involvedObject, reason, message }) =>
    `${involvedObject.kind} ${reason}: ${message}`
  );
}

/** Why the Deployment `orders` of `dev` cannot have its pods. */
function replicaFailure(practice: Practice): string | undefined {
  const { status } = practice.get("deployments.apps", "dev", "orders") as KubeObject & {
    status: { conditions?: { type: string; status: string; reason: string; message: string }[] };
  };
  const found = status.conditions?.find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  return found && `${found.reason}: ${found.message}`;
}

function quota(hard: Readonly<Record<string, string>>): Manifest {
  return { apiVersion: "v1", kind: "ResourceQuota", metadata: { namespace: "dev", name: "small" }, spec: { hard } };
}

/** `orders` in `dev`, its pod's spec changed. */
function orders(
  spec: Readonly<Record<string, unknown>>,
  container: Readonly<Record<string, unknown>> = {},
): Manifest[] {
  const [service, deployment] = JSON.parse(JSON.stringify(serviceManifests({ namespace: "dev", name: "orders" })));
  const template = deployment.spec.template;
  Object.assign(template.spec, spec);
  Object.assign(template.spec.containers[0], container);
  return [service, deployment];
}

const restricted: Manifest = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "dev", labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
};

describe("quota_exceeded", () => {
  it("is told by the Deployment and an Event, and a larger quota ends it", async () => {
    await using practice = await startPractice();
    await practice.apply(quota({ pods: "1" }));
    await practice.addService({ namespace: "dev", name: "orders", replicas: 2 });
    assertEquals(pods(practice).length, 1);
    const words =
      /^FailedCreate: pods "orders-\w+-\w{5}" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1$/;
    assertMatch(replicaFailure(practice)!, words);
    assertMatch(events(practice)[0]!, /^ReplicaSet FailedCreate: Error creating: pods "orders-\w+-\w{5}" is forbidden/);
    await practice.apply(quota({ pods: "2" }));
    assertEquals([pods(practice).length, replicaFailure(practice)], [2, undefined]);
  });

  it("counts cpu and memory, and wants to know them", async () => {
    await using practice = await startPractice();
    await practice.apply(quota({ "requests.cpu": "1", "limits.memory": "1Gi" }));
    const resources = { requests: { cpu: "600m" }, limits: { memory: "512Mi" } };
    await practice.apply(...orders({}, { resources }));
    await practice.addService({ namespace: "dev", name: "orders2", replicas: 1 });
    assertStringIncludes(
      events(practice).at(-1)!,
      "failed quota: small: must specify requests.cpu for: orders2; limits.memory for: orders2",
    );
    using client = new PracticeClient(practice);
    const path = "/apis/apps/v1/namespaces/dev/deployments/orders/scale";
    await client.request("PATCH", path, { spec: { replicas: 2 } }, "merge");
    await practice.settled();
    assertStringIncludes(
      replicaFailure(practice)!,
      "exceeded quota: small, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1",
    );
  });

  it("is a 403 for whoever makes an object too many", async () => {
    await using practice = await startPractice();
    await practice.apply(quota({ "count/configmaps": "0" }));
    using client = new PracticeClient(practice);
    const { status, body } = await client.request<{ message: string }>("POST", "/api/v1/namespaces/dev/configmaps", {
      metadata: { name: "one" },
    });
    assertEquals([status, body.message], [
      403,
      'configmaps "one" is forbidden: exceeded quota: small, requested: count/configmaps=1, used: count/configmaps=0, limited: count/configmaps=0',
    ]);
  });
});

describe("Pod Security", () => {
  it("keeps out of a restricted namespace what does not say enough, naming all of it", async () => {
    await using practice = await startPractice();
    await practice.apply(restricted, ...orders({}));
    assertStringIncludes(
      replicaFailure(practice)!,
      'is forbidden: violates PodSecurity "restricted:latest": ' +
        'allowPrivilegeEscalation != false (container "orders" must set securityContext.allowPrivilegeEscalation=false), ' +
        'unrestricted capabilities (container "orders" must set securityContext.capabilities.drop=["ALL"]), ' +
        'runAsNonRoot != true (pod or container "orders" must set securityContext.runAsNonRoot=true), ' +
        'seccompProfile (pod or container "orders" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    );
    assertEquals(pods(practice), []);
  });

  it("lets in what is restricted enough, unless it has an unsafe sysctl or runs as root", async () => {
    const securityContext = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
    const container = { securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } } };
    const cases: [Record<string, unknown>, RegExp | undefined][] = [
      [{ sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }] }, undefined],
      [{ sysctls: [{ name: "kernel.msgmax", value: "1" }] }, /: forbidden sysctls \(kernel\.msgmax\)$/],
      [{ runAsUser: 0 }, /: runAsUser=0 \(pod must not set runAsUser=0\)$/],
    ];
    for (const [more, why] of cases) {
      await using practice = await startPractice();
      await practice.apply(restricted, ...orders({ securityContext: { ...securityContext, ...more } }, container));
      assertEquals(pods(practice).length, why ? 0 : 1);
      assertMatch(replicaFailure(practice) ?? "", why ?? /^$/);
    }
  });

  it("of the level baseline looks at what reaches the node only", async () => {
    await using practice = await startPractice();
    const labels = { "pod-security.kubernetes.io/enforce": "baseline" };
    const volumes = [{ name: "root", hostPath: { path: "/" } }];
    await practice.apply({ ...restricted, metadata: { name: "dev", labels } });
    await practice.addService({ namespace: "dev", name: "fine" });
    await practice.apply(...orders({ volumes, hostNetwork: true }));
    assertStringIncludes(
      replicaFailure(practice)!,
      'violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true), hostPath volumes (volume "root")',
    );
    assertEquals(pods(practice).length, 1);
  });
});

describe("an admission webhook", () => {
  it("denies what a user and what a controller creates, until it does not", async () => {
    await using practice = await startPractice();
    practice.faults.denyAdmission({ kind: "Pod", webhook: "validate.kyverno.svc", message: "no agents here" });
    await practice.addService({ namespace: "dev", name: "orders" });
    const why = 'admission webhook "validate.kyverno.svc" denied the request: no agents here';
    assertEquals(replicaFailure(practice), `FailedCreate: ${why}`);
    practice.faults.admitNormally();
    await practice.settled();
    assertEquals([pods(practice).length, replicaFailure(practice)], [1, undefined]);
    const matches = ({ metadata }: KubeObject) => metadata.labels?.team !== "us";
    practice.faults.denyAdmission({ kind: "Service", matches, message: "no team", status: 400 });
    using client = new PracticeClient(practice);
    const path = "/api/v1/namespaces/dev/services/orders";
    const patch = (labels: unknown) => client.request<KubeObject>("PATCH", path, { metadata: { labels } }, "merge");
    assertEquals((await patch({ owner: "me" })).status, 400);
    assertEquals((await patch({ team: "us" })).status, 200);
  });
});

describe("image_cannot_be_pulled", () => {
  it("is ErrImagePull first, then ImagePullBackOff, each with an Event, and says which image", async () => {
    await using practice = await startPractice();
    const seen = new Set<string>();
    using client = new PracticeClient(practice);
    const watch = await client.watch<PodObject>("/api/v1/namespaces/dev/pods?watch=true&resourceVersion=0");
    await practice.addService({ namespace: "dev", name: "orders", image: "registry.example/report:7" });
    while (!seen.has("ImagePullBackOff")) {
      const { object } = (await watch.next())!;
      const [container] = (object.status.containerStatuses ?? []) as { state: { waiting: Record<string, string> } }[];
      if (container) seen.add(container.state.waiting.reason!);
    }
    await watch.close();
    assertEquals([...seen], ["ErrImagePull", "ImagePullBackOff"]);
    const pull = 'failed to pull and unpack image "registry.example/report:7": failed to resolve reference ' +
      '"registry.example/report:7": registry.example/report:7: not found';
    assertEquals(events(practice).sort(), [
      'Pod BackOff: Back-off pulling image "registry.example/report:7"',
      "Pod Failed: Error: ErrImagePull",
      "Pod Failed: Error: ImagePullBackOff",
      `Pod Failed: Failed to pull image "registry.example/report:7": ${pull}`,
    ]);
  });
});

describe("a pod", () => {
  it("without room on any node is pending, and runs when there is room", async () => {
    await using practice = await startPractice();
    const resources = { requests: { cpu: "5" } };
    await practice.apply(...orders({}, { resources }));
    const [, second] = JSON.parse(JSON.stringify(orders({}, { resources })).replaceAll("orders", "stock"));
    await practice.apply(second);
    const stock = () => pods(practice).find(({ metadata }) => metadata.name.startsWith("stock"))!;
    const [condition] = stock().status.conditions!;
    assertEquals([stock().status.phase, condition!.reason], ["Pending", "Unschedulable"]);
    assertMatch(String(condition!.message), /^0\/1 nodes are available: 1 Insufficient cpu\. preemption: /);
    assertMatch(events(practice)[0]!, /^Pod FailedScheduling: 0\/1 nodes are available: 1 Insufficient cpu\./);
    await practice.remove("deployments.apps", "dev", "orders");
    assertEquals([stock().status.phase, stock().spec.nodeName], ["Running", "practice"]);
  });

  it("whose nodeSelector no node has is pending", async () => {
    await using practice = await startPractice();
    await practice.apply(...orders({ nodeSelector: { "kubernetes.io/os": "windows" } }));
    const [condition] = pods(practice)[0]!.status.conditions!;
    assertMatch(String(condition!.message), /1 node\(s\) didn't match Pod's node affinity\/selector\./);
  });

  it("that is evicted fails, is replaced, and can be deleted", async () => {
    await using practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "orders" });
    const { name } = pods(practice)[0]!.metadata;
    const open = await practice.dialFromPod("orders.dev", 80);
    await practice.evictPod("dev", name);
    const evicted = practice.get<PodObject>("pods", "dev", name)!;
    assertEquals([evicted.status.phase, evicted.status.reason], ["Failed", "Evicted"]);
    assertEquals(await open.read(new Uint8Array(1)).catch(() => "reset"), "reset");
    open.close();
    assertEquals(pods(practice).length, 2);
    (await practice.dialFromPod("orders.dev", 80)).close();
    await practice.remove("pods", "dev", name);
    assertEquals(pods(practice).length, 1);
  });

  it("can be evicted by whoever drains a node", async () => {
    await using practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "orders" });
    const { name } = pods(practice)[0]!.metadata;
    using client = new PracticeClient(practice);
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name } };
    const { status } = await client.request("POST", `/api/v1/namespaces/dev/pods/${name}/eviction`, eviction);
    await practice.settled();
    assertEquals([status, pods(practice).length, practice.get("pods", "dev", name)], [201, 1, undefined]);
  });

  it("is made again elsewhere when its node is lost", async () => {
    await using practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "orders", replicas: 2 });
    const before = pods(practice).map(({ metadata }) => metadata.name);
    const open = await practice.dialFromPod("orders.dev", 80);
    await practice.loseNode();
    assertEquals(practice.list("nodes").map(({ metadata }) => metadata.name), ["practice-2"]);
    assertEquals(pods(practice).map(({ spec }) => spec.nodeName), ["practice-2", "practice-2"]);
    assert(pods(practice).every(({ metadata }) => !before.includes(metadata.name)));
    assertEquals(await open.read(new Uint8Array(1)).catch(() => "reset"), "reset");
    open.close();
  });
});
