import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { AccessError } from "../../src/cluster/access.ts";
import { ApiError } from "../../src/cluster/api.ts";
import type { Directory, Lookup, Service } from "../../src/cluster/directory.ts";
import { type DirectoryOptions, openDirectory } from "../../src/cluster/open_directory.ts";
import { silentLog } from "../../src/platform/log.ts";
import {
  at,
  FakeApi,
  namespaceObject,
  namespacesPath,
  podObject,
  serviceObject,
  sliceObject,
  slicePod,
} from "./fake_api.ts";
import { FakeClock, settled } from "../fake_clock.ts";

const never = new AbortController().signal;

let api: FakeApi;
let clock: FakeClock;
let opened: Directory[];

beforeEach(() => {
  api = new FakeApi();
  clock = new FakeClock();
  opened = [];
  for (const name of ["dev", "shop", "other"]) api.put(namespacesPath, namespaceObject(name));
  api.put(at("dev", "services"), serviceObject("dev", "orders", { clusterIP: "10.96.0.7" }));
  api.put(at("dev", "endpointslices"), sliceObject("dev", "orders", [slicePod("dev", "orders-1", "10.244.0.5")]));
  api.put(at("dev", "pods"), podObject("dev", "orders-1", "10.244.0.5", { labels: { app: "orders" } }));
  api.put(at("shop", "services"), serviceObject("shop", "cart", { clusterIP: "10.96.0.8" }));
  api.put(at("shop", "endpointslices"), sliceObject("shop", "cart", [slicePod("shop", "cart-1", "10.244.0.6")]));
  api.put(at("shop", "pods"), podObject("shop", "cart-1", "10.244.0.6", { labels: { app: "cart" } }));
});

afterEach(async () => {
  for (const directory of opened) directory.close();
  await settled();
  assertEquals(api.watches, 0, "watches left open");
});

/** Opens a directory that is closed after the test, and forgets what was asked on the way. */
async function open(options: Partial<DirectoryOptions> = {}): Promise<Directory> {
  const directory = await openDirectory(api, { namespace: "dev", ...options }, { clock, log: silentLog });
  opened.push(directory);
  await settled();
  api.asked.length = 0;
  return directory;
}

/** What a host means, in short. */
async function meaning(directory: Directory, host: string): Promise<string> {
  const found = await directory.lookup(host, never);
  switch (found.kind) {
    case "service":
      return `service ${found.service.name}.${found.service.namespace}`;
    case "endpoint":
      return `endpoint ${found.endpoint.pod?.name} of ${found.service.name}.${found.service.namespace}`;
    case "pod":
      return `pod ${found.pod.name}.${found.pod.namespace}`;
    case "missing":
    case "forbidden":
      return `${found.kind}${found.mayBeForeign ? "?" : ""}: ${found.message}`;
    default:
      return found.kind;
  }
}

async function service(directory: Directory, host: string): Promise<Service> {
  const found: Lookup = await directory.lookup(host, never);
  assert(found.kind === "service", found.kind);
  return found.service;
}

async function endpointNames(directory: Directory, host: string): Promise<string[]> {
  const endpoints = await directory.endpoints(await service(directory, host), never);
  return endpoints.map(({ pod, addresses, ready }) => `${pod?.name ?? addresses[0]}${ready ? "" : " (not ready)"}`);
}

describe("openDirectory", () => {
  it("takes CoreDNS's zone unless told another", async () => {
    const Corefile = ".:53 {\n  kubernetes k8s.example in-addr.arpa {\n  }\n}";
    api.put("/api/v1/namespaces/kube-system/configmaps", { metadata: { name: "coredns" }, data: { Corefile } });
    assertEquals((await open()).zone, "k8s.example");
    assertEquals((await open({ zone: "corp.local" })).zone, "corp.local");
    api.fail("get", "/api/v1/namespaces/kube-system/configmaps", 403);
    assertEquals((await open()).zone, "cluster.local");
  });

  it("says that a namespace does not exist, and which is near", async () => {
    const error = await assertRejects(() => open({ namespace: "shpo" }), ApiError);
    assertEquals(error.message, 'The cluster has no namespace "shpo". Did you mean "shop"?');
  });

  it("opens in a namespace of which it may not know whether it exists", async () => {
    api.fail("get", namespacesPath, 403);
    assertEquals(await meaning(await open(), "orders"), "service orders.dev");
  });

  it("names namespace, verb and resource where nothing may be read, and what to ask for", async () => {
    for (const verb of ["get", "list"] as const) api.fail(verb, at("dev", "services"), 403);
    const error = await assertRejects(() => open(), ApiError);
    assertEquals(error.status, 403);
    assertEquals(
      error.message,
      'Namespace "dev" is closed to you: services is forbidden: User "alice" cannot list resource "services" in API group "" in the ' +
        'namespace "dev". Name another with -n, or ask for the Role that hawser doctor --rbac -n dev prints',
    );
  });

  it("says what to do where the refusal is about the user, not the namespace", async () => {
    const refused = async (said: string) => {
      for (const verb of ["get", "list"] as const) {
        api.fail(verb, at("dev", "services"), new ApiError(403, "Forbidden", said, "GET /"));
      }
      return (await assertRejects(() => open(), ApiError)).message;
    };
    assertEquals(
      await refused('users "bob" is forbidden: User "alice" cannot impersonate resource "users"'),
      'You may not act as somebody else: users "bob" is forbidden: User "alice" cannot impersonate resource "users". Leave --as ' +
        "and --as-group out, or ask for the verb impersonate",
    );
    assertEquals(
      await refused('services is forbidden: User "system:anonymous" cannot list resource "services"'),
      'The API server does not know who you are: services is forbidden: User "system:anonymous" cannot list resource "services". ' +
        "Log in, or get a kubeconfig whose user has credentials",
    );
  });

  it("passes on that the API server cannot be reached or does not know the user", async () => {
    api.fail("list", at("dev", "services"), new AccessError("unreachable", "no route to 10.0.0.1"));
    await assertRejects(() => open(), AccessError, "no route");
    api.fail("list", at("dev", "services"), 401);
    assertEquals((await assertRejects(() => open(), ApiError)).status, 401);
  });

  it("tries again while the server is busy, for ten seconds", async () => {
    api.fail("list", at("dev", "services"), 503);
    const opening = open();
    await settled();
    api.mend();
    await clock.advance(1_000);
    assertEquals(await meaning(await opening, "orders"), "service orders.dev");

    api.fail("list", at("dev", "services"), 503);
    const failing = open();
    failing.catch(() => {});
    await settled();
    await clock.advance(30_000);
    assertEquals((await assertRejects(() => failing, ApiError)).status, 503);
  });

  it("gives up when it is told to", async () => {
    api.fail("list", at("dev", "services"), "hang");
    const interrupt = new AbortController();
    const opening = openDirectory(api, { namespace: "dev" }, { clock, log: silentLog }, interrupt.signal);
    await settled();
    interrupt.abort(new Error("interrupted"));
    await assertRejects(() => opening, Error, "interrupted");
  });

  it("does not wait for the pods", async () => {
    api.fail("list", at("dev", "pods"), "hang");
    assertEquals(await meaning(await open(), "orders"), "service orders.dev");
  });
});

describe("names in watched namespaces", () => {
  it("are found in every form without asking", async () => {
    const directory = await open({ namespaces: ["shop"] });
    for (
      const host of [
        "orders",
        "ORDERS.",
        "orders.dev",
        "orders.dev.svc",
        "orders.dev.svc.cluster.local",
        "Orders.Dev.svc.cluster.local.",
      ]
    ) {
      assertEquals(await meaning(directory, host), "service orders.dev", host);
    }
    assertEquals(await meaning(directory, "cart.shop"), "service cart.shop");
    assertEquals(directory.services().map(({ namespace, name }) => `${name}.${namespace}`), [
      "orders.dev",
      "cart.shop",
    ]);
    assertEquals(api.asked, []);
  });

  it("are foreign as single words that no service has", async () => {
    const directory = await open();
    assertEquals(await meaning(directory, "cart"), "foreign");
    assertEquals(await meaning(directory, "github"), "foreign");
    assertEquals(api.asked, []);
  });

  it("are missing where the namespace was spelled out, though they may mean something outside", async () => {
    const directory = await open();
    assertEquals(
      await meaning(directory, "ordres.dev"),
      'missing?: There is no service "ordres" in namespace "dev". Did you mean "orders"?',
    );
    assertEquals(
      await meaning(directory, "ordres.dev.svc.cluster.local"),
      'missing: There is no service "ordres" in namespace "dev". Did you mean "orders"?',
    );
  });

  it("under the zone that look like nothing are missing", async () => {
    const directory = await open();
    assertEquals(
      await meaning(directory, "what.ever.cluster.local"),
      'missing: "what.ever.cluster.local" is under the cluster\'s zone "cluster.local", but no name of the cluster\'s looks like it',
    );
  });

  it("stand for nothing where they are domains", async () => {
    const directory = await open();
    for (
      const host of [
        "cluster.local",
        "svc.cluster.local",
        "dev.svc.cluster.local",
        "shop.svc.cluster.local",
        "shop.pod.cluster.local",
      ]
    ) {
      assertEquals(await meaning(directory, host), "empty", host);
    }
    assertEquals(await meaning(directory, "nope.svc.cluster.local"), 'missing: The cluster has no namespace "nope"');
  });

  it("follow what the watch tells", async () => {
    const directory = await open();
    let changes = 0;
    const stop = directory.onChange(() => changes++);
    api.put(at("dev", "services"), serviceObject("dev", "users"));
    await settled();
    assertEquals(await meaning(directory, "users"), "service users.dev");
    api.remove(at("dev", "services"), "users");
    await settled();
    assertEquals(await meaning(directory, "users"), "foreign");
    assertEquals(changes, 2);
    stop();
    api.put(at("dev", "services"), serviceObject("dev", "users"));
    await settled();
    assertEquals(changes, 2);
  });

  it("of StatefulSet pods and dashed addresses are endpoints", async () => {
    api.put(at("dev", "services"), serviceObject("dev", "web", { clusterIP: "None" }));
    const endpoints = [
      slicePod("dev", "web-0", "10.244.0.20", { hostname: "web-0" }),
      slicePod("dev", "plain", "10.244.0.21"),
      slicePod("dev", "web-1", "10.244.0.22", { hostname: "web-1", conditions: { ready: false } }),
    ];
    api.put(at("dev", "endpointslices"), sliceObject("dev", "web", endpoints));
    const v6 = { addresses: ["fd00::21"], targetRef: endpoints[1]?.targetRef };
    api.put(at("dev", "endpointslices"), sliceObject("dev", "web", [v6], { name: "web-v6", addressType: "IPv6" }));
    const directory = await open();
    for (const host of ["web-0.web", "web-0.web.dev", "web-0.web.dev.svc.cluster.local"]) {
      assertEquals(await meaning(directory, host), "endpoint web-0 of web.dev", host);
    }
    assertEquals(await meaning(directory, "10-244-0-21.web"), "endpoint plain of web.dev");
    assertEquals(await meaning(directory, "fd00--21.web.dev.svc.cluster.local"), "endpoint plain of web.dev");
    assertEquals(await meaning(directory, "web-1.web"), "endpoint web-1 of web.dev");
    const missing = 'Service "web" in namespace "dev" has no endpoint';
    assertEquals(await meaning(directory, "web-7.web"), `missing?: ${missing} "web-7"; it has web-0, web-1`);
    assertEquals(
      await meaning(directory, "10-244-0-20.web.dev.svc.cluster.local"),
      `missing: ${missing} "10-244-0-20"; it has web-0, web-1`,
    );
    api.fail("get", namespacesPath, 403);
    api.fail("get", at("web", "services"), 403);
    assertEquals(
      await meaning(directory, "web-8.web"),
      `missing?: ${missing} "web-8"; it has web-0, web-1`,
      "rather than that a namespace called web is closed",
    );
  });

  it("of ports exist without an address", async () => {
    const directory = await open();
    assertEquals(await meaning(directory, "_http._tcp.orders.dev.svc.cluster.local"), "empty");
    assertEquals(
      await meaning(directory, "_http._udp.orders.dev.svc.cluster.local"),
      'missing: Service "orders" in namespace "dev" has no UDP port named "http"',
    );
  });

  it("stay known when the watch is lost, until it is back", async () => {
    const directory = await open();
    for (const resource of ["services", "endpointslices", "pods"] as const) {
      for (const verb of ["list", "watch"] as const) {
        api.fail(verb, at("dev", resource), new AccessError("unreachable", "connection refused"));
      }
    }
    assertEquals(await meaning(directory, "orders"), "service orders.dev");
    assertEquals(await endpointNames(directory, "orders"), ["orders-1"]);
  });
});

describe("names in other namespaces", () => {
  it("are asked for once, and again after some seconds", async () => {
    const directory = await open();
    const [first, second] = await Promise.all([
      meaning(directory, "cart.shop"),
      meaning(directory, "cart.shop.svc.cluster.local"),
    ]);
    assertEquals([first, second], ["service cart.shop", "service cart.shop"]);
    assertEquals(await meaning(directory, "cart.shop"), "service cart.shop");
    assertEquals(api.asked, ["get /api/v1/namespaces/shop", "get /api/v1/namespaces/shop/services/cart"]);
    api.remove(at("shop", "services"), "cart");
    await clock.advance(11_000);
    assertEquals(
      await meaning(directory, "cart.shop.svc.cluster.local"),
      'missing: There is no service "cart" in namespace "shop".',
    );
  });

  it("have their endpoints asked for by their service's label", async () => {
    const directory = await open();
    assertEquals(await endpointNames(directory, "cart.shop"), ["cart-1"]);
    assertEquals(await endpointNames(directory, "cart.shop"), ["cart-1"]);
    assertEquals(api.asked.slice(2), [
      `list ${at("shop", "endpointslices")}?labelSelector=kubernetes.io/service-name=cart`,
    ]);
    const pods = await directory.pods(await service(directory, "cart.shop"), never);
    assertEquals(pods.map(({ name }) => name), ["cart-1"]);
  });

  it("that do not exist are foreign, or missing under the zone, and the internet costs one question a top-level domain", async () => {
    const directory = await open();
    assertEquals(await meaning(directory, "github.com"), "foreign");
    assertEquals(await meaning(directory, "example.com"), "foreign");
    assertEquals(await meaning(directory, "www.example.com"), "foreign");
    assertEquals(api.asked, ["get /api/v1/namespaces/com"]);
    assertEquals(await meaning(directory, "a.com.svc.cluster.local"), 'missing: The cluster has no namespace "com"');
  });

  it("do not make the internet wait for a cluster that does not answer", async () => {
    const directory = await open();
    api.fail("get", namespacesPath, "hang");
    const github = directory.lookup("github.com", never);
    await settled();
    await clock.advance(3_000);
    assertEquals(await github, { kind: "foreign", unanswered: true });
    api.fail("get", namespacesPath, new AccessError("unreachable", "connection refused"));
    assertEquals(await meaning(directory, "example.org"), "foreign");
    await assertRejects(() => directory.lookup("a.b.svc.cluster.local", never), AccessError, "connection refused");
  });

  it("that are known to exist fail when the cluster does not answer", async () => {
    const directory = await open();
    await meaning(directory, "cart.shop");
    await clock.advance(20_000);
    api.fail("get", at("shop", "services"), new AccessError("unreachable", "connection refused"));
    await assertRejects(() => directory.lookup("cart.shop", never), AccessError, "connection refused");
  });

  it("are found with no right to read namespaces", async () => {
    api.fail("get", namespacesPath, 403);
    const directory = await open();
    assertEquals(await meaning(directory, "cart.shop"), "service cart.shop");
    assertEquals(await meaning(directory, "github.com"), "foreign");
    assertEquals(
      await meaning(directory, "nope.shop.svc.cluster.local"),
      'missing: There is no service "nope" in namespace "shop".',
    );
  });

  it("are forbidden with no right to read their services, though they may mean something outside", async () => {
    api.fail("get", namespacesPath, 403);
    api.fail("get", at("shop", "services"), 403);
    const directory = await open();
    const message = 'You may not get services in namespace "shop", so whether "cart" is there cannot be known. ' +
      'Ask for the verbs get, list and watch on services and endpointslices.discovery.k8s.io in namespace "shop"';
    assertEquals(await meaning(directory, "cart.shop"), `forbidden?: ${message}`);
    assertEquals(await meaning(directory, "cart.shop.svc.cluster.local"), `forbidden: ${message}`);
    await meaning(directory, "users.shop");
    assertEquals(
      api.asked.filter((line) => line.includes("services")).length,
      1,
      "one refusal stands for the namespace",
    );
  });
});

describe("addresses", () => {
  it("of services and pods are found without asking", async () => {
    const directory = await open({ namespaces: ["shop"] });
    assertEquals(await meaning(directory, "10.96.0.7"), "service orders.dev");
    assertEquals(await meaning(directory, "::ffff:10.96.0.8"), "service cart.shop");
    assertEquals(await meaning(directory, "10.244.0.6"), "pod cart-1.shop");
    assertEquals(await meaning(directory, "10-244-0-6.shop.pod.cluster.local"), "pod cart-1.shop");
    assertEquals(await meaning(directory, "10-244-0-6.shop.pod"), "pod cart-1.shop");
    assertEquals(api.asked, []);
  });

  it("of other namespaces are asked for in the whole cluster", async () => {
    const directory = await open();
    assertEquals(await meaning(directory, "10.96.0.8"), "service cart.shop");
    assertEquals(await meaning(directory, "10.244.0.6"), "pod cart-1.shop");
    assertEquals(api.asked.slice(0, 2), [
      "list /api/v1/services?fieldSelector=spec.clusterIP=10.96.0.8",
      "list /api/v1/pods?fieldSelector=status.podIP=10.96.0.8",
    ]);
  });

  it("that are private and nobody's are asked for once in half a minute", async () => {
    const directory = await open();
    assertEquals(await meaning(directory, "192.168.1.1"), "foreign");
    await clock.advance(29_000);
    assertEquals(await meaning(directory, "192.168.1.1"), "foreign");
    assertEquals(api.asked.length, 2);
    assertEquals(
      await meaning(directory, "192-168-1-1.dev.pod.cluster.local"),
      "missing: No pod is known to have the address 192.168.1.1",
    );
  });

  it("that are public never cost a question", async () => {
    const directory = await open();
    for (const address of ["8.8.8.8", "2001:db8::1", "127.0.0.1", "169.254.169.254"]) {
      assertEquals(await meaning(directory, address), "foreign");
    }
    assertEquals(api.asked, []);
  });

  it("are sought in the watched namespaces where the whole cluster may not be read", async () => {
    for (const path of ["/api/v1/services", "/api/v1/pods"]) api.fail("list", path, 403);
    api.fail("watch", at("dev", "pods"), 403);
    const directory = await open();
    api.put(at("dev", "pods"), podObject("dev", "late", "10.244.0.9"));
    assertEquals(await meaning(directory, "10.244.0.9"), "pod late.dev");
    assertEquals(await meaning(directory, "10.96.0.8"), "foreign");
    assertEquals(api.asked.filter((line) => line.startsWith("list /api/v1/pods")).length, 1, "a refusal is remembered");
  });

  it("of nodes are not those of the pods on their network", async () => {
    api.put(at("dev", "pods"), podObject("dev", "proxy", "192.168.1.10", { spec: { hostNetwork: true } }));
    api.put(at("other", "pods"), podObject("other", "proxy", "192.168.1.11", { spec: { hostNetwork: true } }));
    const directory = await open();
    assertEquals(await meaning(directory, "192.168.1.10"), "foreign");
    assertEquals(await meaning(directory, "192.168.1.11"), "foreign");
  });

  it("of ended pods are nobody's", async () => {
    api.put(at("dev", "pods"), podObject("dev", "job", "10.244.0.30", { status: { phase: "Succeeded" } }));
    assertEquals(await meaning(await open(), "10.244.0.30"), "foreign");
  });

  it("of pods are found through endpoints where pods may not be read", async () => {
    for (const path of ["/api/v1/pods", at("dev", "pods")]) api.fail("list", path, 403);
    const directory = await open();
    const found = await directory.lookup("10.244.0.5", never);
    assert(found.kind === "pod", found.kind);
    assertEquals([found.pod.name, found.pod.uid, found.pod.reason], ["orders-1", "uid-orders-1", ""]);
  });
});

describe("endpoints", () => {
  it("come from all slices of a service and follow them", async () => {
    const directory = await open();
    assertEquals(await endpointNames(directory, "orders"), ["orders-1"]);
    const second = slicePod("dev", "orders-2", "10.244.0.7", { conditions: { ready: false } });
    api.put(at("dev", "endpointslices"), sliceObject("dev", "orders", [second], { name: "orders-def" }));
    await settled();
    assertEquals(await endpointNames(directory, "orders"), ["orders-1", "orders-2 (not ready)"]);
    api.remove(at("dev", "endpointslices"), "orders-abc");
    await settled();
    assertEquals(await endpointNames(directory, "orders"), ["orders-2 (not ready)"]);
  });

  it("made by hand get the pod that has their address, wherever it is", async () => {
    api.put(at("dev", "services"), serviceObject("dev", "manual", { selector: {} }));
    const endpoints = ["10.244.0.5", "10.244.0.6", "192.168.1.1", "93.184.216.34"].map((address) => ({
      addresses: [address],
    }));
    api.put(at("dev", "endpointslices"), sliceObject("dev", "manual", endpoints));
    const directory = await open();
    assertEquals(await endpointNames(directory, "manual"), ["orders-1", "cart-1", "192.168.1.1", "93.184.216.34"]);
  });

  it("come from Endpoints where the server has no slices", async () => {
    api.fail("list", at("dev", "endpointslices"), 404);
    const subsets = [{
      addresses: [{
        ip: "10.244.0.5",
        targetRef: { kind: "Pod", namespace: "dev", name: "orders-1", uid: "uid-orders-1" },
      }],
      notReadyAddresses: [{ ip: "10.244.0.7" }],
      ports: [{ name: "http", port: 8080 }],
    }];
    api.put(at("dev", "endpoints"), { metadata: { namespace: "dev", name: "orders" }, subsets });
    const directory = await open();
    assertEquals(await endpointNames(directory, "orders"), ["orders-1", "10.244.0.7 (not ready)"]);
    api.put(at("dev", "endpoints"), { metadata: { namespace: "dev", name: "orders" }, subsets: [] });
    await settled();
    assertEquals(await endpointNames(directory, "orders"), []);
  });

  it("come from the pods where neither slices nor Endpoints may be read", async () => {
    for (const resource of ["endpointslices", "endpoints"] as const) api.fail("list", at("dev", resource), 403);
    api.fail("get", at("dev", "endpoints"), 403);
    const directory = await open();
    const [endpoint] = await directory.endpoints(await service(directory, "orders"), never);
    assertEquals([endpoint?.pod?.name, endpoint?.ports], ["orders-1", [{ name: "http", port: 8080, protocol: "TCP" }]]);
    api.put(at("dev", "pods"), podObject("dev", "orders-1", "10.244.0.5", { labels: { app: "orders" }, ready: false }));
    await settled();
    assertEquals(await endpointNames(directory, "orders"), ["orders-1 (not ready)"]);
  });

  it("made by hand cannot be known from pods", async () => {
    for (const resource of ["endpointslices", "endpoints"] as const) api.fail("list", at("dev", resource), 403);
    api.fail("get", at("dev", "endpoints"), 403);
    api.put(at("dev", "services"), serviceObject("dev", "manual", { selector: {} }));
    const directory = await open();
    await assertRejects(() => endpointNames(directory, "manual"), ApiError, "cannot be known");
  });

  it("fail with what to ask for where nothing of them may be read", async () => {
    for (const resource of ["endpointslices", "endpoints", "pods"] as const) {
      for (const verb of ["get", "list"] as const) api.fail(verb, at("dev", resource), 403);
    }
    const directory = await open();
    const error = await assertRejects(() => endpointNames(directory, "orders"), ApiError);
    assertStringIncludes(error.message, 'What serves "orders" in namespace "dev" cannot be known');
    assertStringIncludes(
      error.message,
      'Ask for get, list and watch on endpointslices.discovery.k8s.io in namespace "dev"',
    );
  });
});

describe("rights", () => {
  it("without watch, single things are asked for, kept for seconds", async () => {
    for (const resource of ["services", "endpointslices", "pods"] as const) api.fail("watch", at("dev", resource), 403);
    const directory = await open();
    assertEquals(await meaning(directory, "orders"), "service orders.dev");
    assertEquals(await endpointNames(directory, "orders"), ["orders-1"]);
    assertEquals(api.asked.length, 2);
    api.put(at("dev", "endpointslices"), sliceObject("dev", "orders", [slicePod("dev", "orders-9", "10.244.0.9")]));
    assertEquals(await endpointNames(directory, "orders"), ["orders-1"]);
    await clock.advance(11_000);
    assertEquals(await endpointNames(directory, "orders"), ["orders-9"]);
  });

  it("without watch, the services are listed every half minute", async () => {
    api.fail("watch", at("dev", "services"), 403);
    const directory = await open();
    let changes = 0;
    directory.onChange(() => changes++);
    api.put(at("dev", "services"), serviceObject("dev", "users"));
    assertEquals(directory.services().map(({ name }) => name), ["orders"]);
    await clock.advance(30_000);
    assertEquals(directory.services().map(({ name }) => name), ["orders", "users"]);
    assertEquals(changes, 1);
  });

  it("without list, services are got by name", async () => {
    api.fail("list", at("dev", "services"), 403);
    const directory = await open();
    assertEquals(await meaning(directory, "orders"), "service orders.dev");
    assertEquals(await meaning(directory, "users"), "foreign");
    assertEquals(directory.services(), []);
  });

  it("without pods, there are no reasons", async () => {
    api.fail("list", at("dev", "pods"), 403);
    const directory = await open();
    assertEquals(await directory.pods(await service(directory, "orders"), never), []);
  });

  it("with pods, there are reasons", async () => {
    const state = { waiting: { reason: "CrashLoopBackOff" } };
    const containerStatuses = [{ name: "main", image: "", imageID: "", ready: false, restartCount: 3, state }];
    const labels = { app: "orders" };
    api.put(
      at("dev", "pods"),
      podObject("dev", "orders-1", "10.244.0.5", { labels, ready: false, status: { containerStatuses } }),
    );
    const directory = await open();
    const pods = await directory.pods(await service(directory, "orders"), never);
    assertEquals(pods.map(({ name, reason }) => [name, reason]), [["orders-1", "CrashLoopBackOff"]]);
  });
});

describe("ExternalName services", () => {
  const external = (name: string, externalName: string) =>
    api.put(
      at("dev", "services"),
      serviceObject("dev", name, { type: "ExternalName", externalName, clusterIP: undefined, selector: undefined }),
    );

  it("lead to services of the cluster, over several if need be", async () => {
    external("a", "b.dev.svc.cluster.local");
    external("b", "Cart.shop.svc.cluster.local.");
    const directory = await open();
    const found = await directory.lookup("a", never);
    assert(found.kind === "service", found.kind);
    assertEquals([found.service.name, found.via?.map(({ name }) => name)], ["cart", ["a", "b"]]);
  });

  it("that lead out of the cluster are what they are", async () => {
    external("db", "db.example.com");
    const found = await service(await open(), "db.dev");
    assertEquals([found.kind, found.name, found.externalName], ["ExternalName", "db", "db.example.com"]);
  });

  it("that lead to a missing service say so", async () => {
    external("a", "nope.shop.svc.cluster.local");
    assertEquals(
      await meaning(await open(), "a.dev.svc.cluster.local"),
      'missing: Service "a" in namespace "dev" is an ExternalName for "nope.shop.svc.cluster.local". ' +
        'There is no service "nope" in namespace "shop".',
    );
  });

  it("that lead in a circle are missing", async () => {
    external("a", "b.dev.svc.cluster.local");
    external("b", "a.dev.svc.cluster.local");
    assertEquals(
      await meaning(await open(), "a"),
      'missing: Service "a" in namespace "dev" is an ExternalName for "b.dev.svc.cluster.local", which leads nowhere: a.dev → b.dev → a.dev',
    );
  });

  it("are followed eight times, not for ever", async () => {
    for (let at = 0; at < 10; at++) external(`x${at}`, `x${at + 1}.dev.svc.cluster.local`);
    api.put(at("dev", "services"), serviceObject("dev", "x10"));
    const directory = await open();
    assertEquals(await meaning(directory, "x2"), "service x10.dev");
    assertStringIncludes(await meaning(directory, "x0"), "which leads nowhere");
  });
});
