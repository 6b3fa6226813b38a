import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { KubeObject } from "./kube_object.ts";
import type { PodObject } from "./pod_object.ts";
import { podReady } from "./pod_ready.ts";
import { startPractice } from "./practice.ts";
import type { Practice } from "./practice.ts";
import { PracticeClient } from "./practice_client.ts";

const base = "/apis/apps/v1/namespaces/dev/deployments";

/** A ConfigMap that belongs to the Deployment `orders`. */
async function owned(practice: Practice, name: string, blockOwnerDeletion?: boolean): Promise<void> {
  const { uid } = practice.get("deployments.apps", "dev", "orders")!.metadata;
  const owner = { apiVersion: "apps/v1", kind: "Deployment", name: "orders", uid, blockOwnerDeletion };
  await practice.apply({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "dev", name, ownerReferences: [owner] },
  });
}

describe("what belongs to an object", () => {
  it("goes after it in the background", async () => {
    await using practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "orders" });
    await owned(practice, "notes");
    using client = new PracticeClient(practice);
    const { body } = await client.request<KubeObject>("DELETE", `${base}/orders`, { propagationPolicy: "Background" });
    assertEquals([body.kind, body.status], ["Status", "Success"]);
    assertEquals(practice.get("configmaps", "dev", "notes"), undefined);
    await practice.settled();
    assertEquals(practice.list("pods", "dev"), []);
  });

  it("goes before it in the foreground, and holds it up", async () => {
    await using practice = await startPractice();
    const podAnnotations = { "practice/linger": "60000" };
    await practice.addService({ namespace: "dev", name: "orders", podAnnotations });
    using client = new PracticeClient(practice);
    const { body } = await client.request<KubeObject>("DELETE", `${base}/orders`, { propagationPolicy: "Foreground" });
    assertEquals(body.metadata.finalizers, ["foregroundDeletion"]);
    await practice.settled();
    const [pod] = practice.list<PodObject>("pods", "dev");
    assertEquals(practice.get("deployments.apps", "dev", "orders")?.metadata.finalizers, ["foregroundDeletion"]);
    await practice.killPod("dev", pod!.metadata.name);
    assertEquals(practice.list("deployments.apps", "dev"), []);
    assertEquals([practice.list("replicasets.apps", "dev"), practice.list("pods", "dev")], [[], []]);
  });

  it("stays, without its owner, where that is orphaned", async () => {
    await using practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "orders" });
    await owned(practice, "notes");
    using client = new PracticeClient(practice);
    await client.request("DELETE", `${base}/orders`, { propagationPolicy: "Orphan" });
    assertEquals(practice.get("configmaps", "dev", "notes")!.metadata.ownerReferences, []);
  });

  it("can be deleted by its labels", async () => {
    await using practice = await startPractice();
    const manifest = (name: string, keep: string) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace: "dev", name, labels: { keep } },
    });
    await practice.apply(manifest("one", "no"), manifest("two", "yes"), manifest("three", "no"));
    using client = new PracticeClient(practice);
    await client.request("DELETE", "/api/v1/namespaces/dev/configmaps?labelSelector=keep%3Dno");
    assertEquals(practice.list("configmaps", "dev").map(({ metadata }) => metadata.name), ["two"]);
  });
});

describe("objects of other groups", () => {
  it("are kept: autoscalers, ingresses, disruption budgets, leases", async () => {
    await using practice = await startPractice();
    using client = new PracticeClient(practice);
    await practice.addService({ namespace: "dev", name: "orders" });
    for (
      const [path, kind] of [
        ["autoscaling/v2/namespaces/dev/horizontalpodautoscalers", "HorizontalPodAutoscaler"],
        ["networking.k8s.io/v1/namespaces/dev/ingresses", "Ingress"],
        ["policy/v1/namespaces/dev/poddisruptionbudgets", "PodDisruptionBudget"],
        ["coordination.k8s.io/v1/namespaces/dev/leases", "Lease"],
      ]
    ) {
      const apiVersion = path!.split("/").slice(0, 2).join("/");
      const made = await client.request("POST", `/apis/${path}`, { apiVersion, kind, metadata: { name: "orders" } });
      const { body } = await client.get<{ items: unknown[] }>(`/apis/${path}`);
      assertEquals([made.status, body.items.length], [201, 1], path);
      const { body: group } = await client.get<{ resources: { kind: string }[] }>(`/apis/${apiVersion}`);
      assertEquals(group.resources.some((resource) => resource.kind === kind), true, apiVersion);
    }
  });

  it("as leases are taken by the first who writes", async () => {
    await using practice = await startPractice();
    using client = new PracticeClient(practice);
    await practice.addService({ namespace: "dev", name: "orders" });
    const path = "/apis/coordination.k8s.io/v1/namespaces/dev/leases";
    const lease = (holderIdentity: string) => ({ metadata: { name: "orders" }, spec: { holderIdentity } });
    const [one, two] = await Promise.all(
      ["alice", "bob"].map((who) => client.request<KubeObject & { reason: string }>("POST", path, lease(who))),
    );
    assertEquals([one!.status, two!.status].sort(), [201, 409]);
    const { body } = await client.get<KubeObject>(`${path}/orders`);
    const renewed = await Promise.all(
      ["carol", "dave"].map((who) => client.request("PUT", `${path}/orders`, { ...body, spec: lease(who).spec })),
    );
    assertEquals(renewed.map(({ status }) => status).sort(), [200, 409]);
  });

  it("as scales are written under their version", async () => {
    await using practice = await startPractice();
    using client = new PracticeClient(practice);
    await practice.addService({ namespace: "dev", name: "orders" });
    const path = "/apis/apps/v1/namespaces/dev/deployments/orders/scale";
    const { body } = await client.get<KubeObject>(path);
    const scaled = { ...body, spec: { replicas: 2 } };
    assertEquals((await client.request("PUT", path, scaled)).status, 200);
    assertEquals((await client.request("PUT", path, scaled)).status, 409);
    await practice.settled();
    assertEquals(practice.list("pods", "dev").length, 2);
  });
});

describe("the network between pods", () => {
  it("keeps a connection with its pod when the selector of the Service changes, and leads new ones elsewhere", async () => {
    await using practice = await startPractice();
    const ports = [{ name: "tcp", port: 7000 }];
    await practice.addService({ namespace: "dev", name: "orders", ports });
    await practice.addService({ namespace: "dev", name: "agent", ports });
    const name = async (connection: Deno.TcpConn) => {
      await connection.write(new TextEncoder().encode("hello\n"));
      return (await new Response(connection.readable).text()).split(" ")[0];
    };
    const before = await practice.dialFromPod("orders.dev", 7000);
    using client = new PracticeClient(practice);
    const selector = { app: "agent" };
    await client.request("PATCH", "/api/v1/namespaces/dev/services/orders", { spec: { selector } }, "merge");
    await practice.settled();
    assertEquals(await name(await practice.dialFromPod("orders.dev", 7000)), "agent");
    assertEquals(await name(before), "orders");
  });

  it("follows changes late where the proxies are to be slow", async () => {
    await using practice = await startPractice({ proxyDelay: 200 });
    await practice.addService({ namespace: "dev", name: "orders" });
    const dial = () => practice.dialFromPod("orders.dev", 80).then((c) => (c.close(), true), () => false);
    assertEquals(await dial(), false);
    const start = performance.now();
    while (!await dial()) await new Promise((resolve) => setTimeout(resolve, 10));
    const late = performance.now() - start;
    assertEquals(late > 50 && late < 5000, true, `after ${late} ms`);
  });

  it("loses no request to a rollout that was asked for by `kubectl rollout restart`", async () => {
    await using practice = await startPractice();
    const podAnnotations = { "practice/linger": "300" };
    await practice.addService({ namespace: "dev", name: "orders", replicas: 2, podAnnotations });
    const before = practice.list("pods", "dev").map(({ metadata }) => metadata.name);
    let failed = 0;
    let asked = 0;
    let done = false;
    const load = async () => {
      while (!done) {
        asked++;
        await practice.dialFromPod("orders.dev", 80).then(async (connection) => {
          await connection.write(
            new TextEncoder().encode("GET /status/204 HTTP/1.1\r\nHost: o\r\nConnection: close\r\n\r\n"),
          );
          if (!(await new Response(connection.readable).text()).startsWith("HTTP/1.1 204")) failed++;
        }).catch(() => failed++);
      }
    };
    const loads = [load(), load()];
    using client = new PracticeClient(practice);
    const annotations = { ...podAnnotations, "kubectl.kubernetes.io/restartedAt": "2025-01-01T00:00:00Z" };
    const patch = { spec: { template: { metadata: { annotations } } } };
    await client.request("PATCH", `${base}/orders`, patch, "strategic-merge");
    const rolled = () => {
      const pods = practice.list<PodObject>("pods", "dev");
      return pods.length === 2 && pods.every((pod) => podReady(pod) && !before.includes(pod.metadata.name));
    };
    await practice.until(() => rolled() || undefined);
    done = true;
    await Promise.all(loads);
    assertEquals([failed, asked > 2], [0, true]);
  });
});
