import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { KubeObject } from "./kube_object.ts";
import type { PodObject } from "./pod_object.ts";
import { startPractice } from "./practice.ts";
import type { Practice } from "./practice.ts";
import type { ServiceObject } from "./service_object.ts";

interface Slice extends KubeObject {
  readonly addressType: string;
  readonly endpoints:
    | readonly {
      readonly addresses: readonly string[];
      readonly conditions: { readonly ready: boolean; readonly serving: boolean; readonly terminating: boolean };
      readonly hostname?: string;
      readonly targetRef: { readonly name: string };
    }[]
    | null;
  readonly ports: readonly { readonly name: string; readonly port: number }[] | null;
}

function slices(practice: Practice, service: string): readonly Slice[] {
  const all = practice.list<Slice>("endpointslices.discovery.k8s.io", "dev");
  return all.filter((slice) => slice.metadata.labels?.["kubernetes.io/service-name"] === service);
}

function pods(practice: Practice): readonly PodObject[] {
  return practice.list<PodObject>("pods", "dev");
}

describe("Services", () => {
  it("get a ClusterIP of their own, and keep it", async () => {
    await using practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "a" });
    await practice.addService({ namespace: "dev", name: "b" });
    const ip = (name: string) => practice.get<ServiceObject>("services", "dev", name)!.spec.clusterIP;
    const before = ip("a");
    await practice.addService({ namespace: "dev", name: "a", ports: [{ port: 81 }] });
    assertEquals(ip("a"), before);
    assertNotEquals(ip("a"), ip("b"));
  });

  it("get slices with resolved ports, one for each set of ports", async () => {
    await using practice = await startPractice();
    await practice.addService({
      namespace: "dev",
      name: "orders",
      ports: [{ name: "web", port: 80, targetPort: "http" }],
      replicas: 2,
    });
    await practice.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace: "dev", name: "other", labels: { app: "orders" } },
      spec: {
        containers: [{ name: "c", image: "practice/workload", ports: [{ name: "http", containerPort: 9090 }] }],
      },
    });
    const found = slices(practice, "orders").map(({ ports, endpoints }) => [ports, endpoints?.length]);
    const port = (port: number) => [{ name: "web", port, protocol: "TCP" }];
    assertEquals(found.sort((a, b) => Number(b[1]) - Number(a[1])), [[port(8080), 2], [port(9090), 1]]);
  });

  it("get an empty slice, with null for its lists, where nothing is selected", async () => {
    await using practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "none", replicas: 0 });
    assertEquals(slices(practice, "none").map(({ ports, endpoints }) => [ports, endpoints]), [[null, null]]);
  });

  it("get both families on request", async () => {
    await using practice = await startPractice({ dualStack: true });
    await practice.addService({ namespace: "dev", name: "orders", spec: { ipFamilyPolicy: "RequireDualStack" } });
    const { spec } = practice.get<ServiceObject>("services", "dev", "orders")!;
    assertEquals([spec.ipFamilies, spec.clusterIPs?.length], [["IPv4", "IPv6"], 2]);
    assertEquals(slices(practice, "orders").map(({ addressType }) => addressType).sort(), ["IPv4", "IPv6"]);
  });

  it("tell ready, not ready and terminating pods apart", async () => {
    await using practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "orders", podAnnotations: { "practice/linger": "60000" } });
    const conditions = () =>
      slices(practice, "orders").flatMap((slice) => slice.endpoints ?? []).map((e) => e.conditions);
    const [pod] = pods(practice);
    assertEquals(conditions(), [{ ready: true, serving: true, terminating: false }]);
    await practice.setPodState("dev", pod!.metadata.name, "not-ready");
    assertEquals(conditions(), [{ ready: false, serving: false, terminating: false }]);
    await practice.setPodState("dev", pod!.metadata.name, "ready");
    await practice.remove("pods", "dev", pod!.metadata.name);
    assertEquals(conditions().sort((a, b) => Number(b.ready) - Number(a.ready)), [
      { ready: true, serving: true, terminating: false },
      { ready: false, serving: true, terminating: true },
    ]);
  });

  it("without slices have Endpoints", async () => {
    await using practice = await startPractice({ endpointSlices: false });
    await practice.addService({ namespace: "dev", name: "orders", replicas: 2 });
    await practice.setPodState("dev", pods(practice)[0]!.metadata.name, "not-ready");
    const endpoints = practice.get("endpoints", "dev", "orders") as KubeObject & {
      subsets: { addresses: unknown[]; notReadyAddresses: unknown[]; ports: unknown }[];
    };
    const [subset] = endpoints.subsets;
    assertEquals([subset!.addresses.length, subset!.notReadyAddresses.length], [1, 1]);
    assertEquals(subset!.ports, [{ port: 8080, protocol: "TCP" }]);
    assertEquals(slices(practice, "orders"), []);
  });
});

describe("workloads", () => {
  it("replace a pod that was deleted", async () => {
    await using practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "orders", replicas: 2 });
    const before = pods(practice).map((pod) => pod.metadata.name);
    await practice.killPod("dev", before[0]!);
    const after = pods(practice).map((pod) => pod.metadata.name);
    assertEquals([after.length, after.includes(before[0]!), after.includes(before[1]!)], [2, false, true]);
  });

  it("roll out a changed template by bringing up new pods before the old ones go", async () => {
    await using practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "orders", replicas: 2 });
    const before = pods(practice).map((pod) => pod.metadata.name);
    let fewest = 2;
    const ready = () =>
      slices(practice, "orders").flatMap((slice) => slice.endpoints ?? []).filter((e) => e.conditions.ready).length;
    const watched = practice.until(() => {
      fewest = Math.min(fewest, ready());
      return pods(practice).every((pod) => !before.includes(pod.metadata.name)) || undefined;
    });
    await practice.addService({ namespace: "dev", name: "orders", replicas: 2, env: { NEW: "1" } });
    await watched;
    await practice.settled();
    assertEquals([pods(practice).length, fewest], [2, 2]);
  });

  it("name the pods of a StatefulSet, and give a new pod the old name", async () => {
    await using practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "web", kind: "Headless", replicas: 2 });
    const [first, second] = pods(practice);
    assertEquals([first!.metadata.name, second!.metadata.name], ["web-0", "web-1"]);
    assertEquals(slices(practice, "web")[0]!.endpoints!.map(({ hostname }) => hostname), ["web-0", "web-1"]);
    await practice.killPod("dev", "web-0");
    const again = practice.get<PodObject>("pods", "dev", "web-0");
    assert(again && again.metadata.uid !== first!.metadata.uid);
  });
});

describe("pods", () => {
  it("say why they do not serve", async () => {
    await using practice = await startPractice({
      programs: { broken: () => Promise.reject(new Error("no such database")) },
    });
    for (const [name, image] of [["broken", "broken"], ["missing", "registry.example/nothing:1"]]) {
      await practice.addService({ namespace: "dev", name: name!, image: image! });
    }
    await practice.addService({ namespace: "dev", name: "stuck", podAnnotations: { "practice/state": "pending" } });
    const of = (app: string) => pods(practice).find((pod) => pod.metadata.labels?.app === app)!;
    const reason = (pod: PodObject) => {
      const [container] = pod.status.containerStatuses as { state: { waiting?: { reason: string } } }[];
      return [pod.status.phase, container?.state.waiting?.reason];
    };
    assertEquals(reason(of("broken")), ["Running", "CrashLoopBackOff"]);
    assertEquals(reason(of("missing")), ["Pending", "ImagePullBackOff"]);
    assertEquals(of("stuck").status.conditions?.[0]?.reason, "Unschedulable");
    assertEquals(of("stuck").status.podIP, undefined);
  });

  it("go through the states that a test puts them into", async () => {
    await using practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "orders" });
    const name = pods(practice)[0]!.metadata.name;
    await practice.setPodState("dev", name, "crash-loop");
    await assertRejects(() => practice.dialFromPod("orders.dev", 80), Deno.errors.ConnectionRefused);
    await practice.setPodState("dev", name, "ready");
    (await practice.dialFromPod("orders.dev", 80)).close();
  });

  it("reach each other by all names, and ClusterIPs balance", async () => {
    await using practice = await startPractice();
    const ports = [{ name: "tcp", port: 7000 }];
    await practice.addService({ namespace: "dev", name: "orders", ports, replicas: 2 });
    await practice.addService({ namespace: "dev", name: "web", kind: "Headless", ports, replicas: 2 });
    const hello = async (host: string, namespace = "default") => {
      const connection = await practice.dialFromPod(host, 7000, { namespace });
      await connection.write(new TextEncoder().encode("hello\n"));
      return (await new Response(connection.readable).text()).trim().split(" ")[1]!;
    };
    const { clusterIP } = practice.get<ServiceObject>("services", "dev", "orders")!.spec;
    const names = new Set<string>();
    for (const host of ["orders.dev", "ORDERS.dev.svc", "orders.dev.svc.cluster.local.", clusterIP!]) {
      names.add(await hello(host));
    }
    assertEquals(names.size, 2);
    assert(names.has(await hello("orders", "dev")));
    assertEquals(await hello("web-1.web.dev"), "web-1");
    assertEquals(await hello(practice.get<PodObject>("pods", "dev", "web-0")!.status.podIP!), "web-0");
    await assertRejects(() => hello("nothing.dev"), Deno.errors.NotFound);
    await assertRejects(() => practice.dialFromPod("orders.dev", 81), Deno.errors.ConnectionRefused);
  });
});
