import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { listenTcp } from "../../src/stream/listen_tcp.ts";
import { End } from "../stream/end.ts";
import { connectHawser, Home } from "./hawser.ts";
import { deployment, endpointSlice, service, statefulSet } from "./manifests.ts";
import { connectMethod, exchange, get, greet, socks5, through } from "./proxy_client.ts";
import { Scene } from "./scene.ts";

/** SOCKS5 reply codes (RFC 1928 §6). */
const general = 1, hostUnreachable = 4, refused = 5;

const http = { name: "http", port: 80, targetPort: "http" };
const failing = { httpGet: { path: "/status/500", port: 8080 }, periodSeconds: 1 };

describe("names and addresses through the proxy", () => {
  const stack = new AsyncDisposableStack();
  let scene: Scene, other: Scene;
  /** Port of the proxy. */
  let proxy = 0;
  let zone = "";

  beforeAll(async () => {
    scene = stack.use(await Scene.open("names"));
    other = stack.use(await Scene.open("names-other"));
    await scene.apply(
      deployment("web", { replicas: 2 }),
      service("web", {
        ports: [http, { name: "raw", port: 7000 }, { name: "udp", port: 7001, protocol: "UDP" }],
      }),
      service("numeric", { selector: { app: "web" }, ports: [{ port: 8000, targetPort: 8080 }] }),
      service("misnamed", { selector: { app: "web" }, ports: [{ port: 80, targetPort: "grpc" }] }),
      service("deaf", {
        selector: { "statefulset.kubernetes.io/pod-name": "db-0" },
        ports: [{ port: 80, targetPort: 9999 }],
      }),
      service("headless", { selector: { app: "web" }, clusterIP: "None" }),
      statefulSet("db", { replicas: 2 }),
      service("db", { clusterIP: "None", ports: [http] }),
      deployment("unready", { readinessProbe: failing }),
      service("unready", { ports: [http] }),
      service("published", { selector: { app: "unready" }, publishNotReadyAddresses: true, ports: [http] }),
      deployment("crashing", { args: ["-no-such-flag"] }),
      service("crashing", { ports: [http] }),
      deployment("unpulled", { image: "localhost/hawser-no-such-image:1" }),
      service("unpulled", { ports: [http] }),
      deployment("unscheduled", { spec: { nodeSelector: { "hawser.test/no-such-node": "x" } } }),
      service("unscheduled", { ports: [http] }),
      deployment("scaled", { replicas: 0 }),
      service("scaled", { ports: [http] }),
      service("bare", { selector: undefined, ports: [http] }),
    );
    await other.apply(deployment("orders"), service("orders", { ports: [http] }));
    await Promise.all([
      scene.ready("deployment/web", "statefulset/db"),
      other.ready("deployment/orders"),
      scene.wait("unready", "{.status.podIP}"),
      scene.wait("crashing", "{.status.containerStatuses[0].lastState.terminated.exitCode}=2"),
      scene.wait("unpulled", "{.status.containerStatuses[0].state.waiting.reason}"),
    ]);
    const home = stack.use(await Home.open());
    const { running, report } = await connectHawser(home, ["-n", scene.namespace]);
    stack.use(running);
    proxy = report.port;
    zone = report.zone;
  });

  afterAll(() => stack.disposeAsync());

  async function address(...what: string[]): Promise<string> {
    const [found = ""] = await scene.find(what, "{.spec.clusterIP}{.status.podIP}");
    return found;
  }

  /** A name that cannot be reached: how each protocol says so. The sentence is returned. */
  async function denied(host: string, port: number, reply: number, status: number, kind: string): Promise<string> {
    assertEquals((await socks5(proxy, host, port)).code, reply, `SOCKS5 to ${host}:${port}`);
    const page = await get(proxy, `http://${host}:${port}/`);
    assertEquals([page.status, page.error], [status, kind], `GET http://${host}:${port}/: ${page.text}`);
    const tunnel = await connectMethod(proxy, `${host}:${port}`);
    assertEquals([tunnel.status, tunnel.error], [status, kind], `CONNECT ${host}:${port}: ${tunnel.text}`);
    assertEquals(tunnel.text, page.text);
    assertEquals(page.text.trimEnd().split("\n").length, 1, `more than one sentence: ${page.text}`);
    return page.text;
  }

  it("takes every spelling of a service's name", async () => {
    const { namespace } = scene;
    const full = `web.${namespace}.svc.${zone}`;
    const spellings = ["web", "web.", `web.${namespace}`, `web.${namespace}.svc`, full, `${full}.`];
    for (const host of [...spellings, ...spellings.map((each) => each.toUpperCase())]) {
      assertEquals((await greet(proxy, host, 80)).name, "web", host);
    }
    for (const host of spellings) assertEquals((await get(proxy, `http://${host}/`)).status, 200, host);
  });

  it("spreads a service over its pods", async () => {
    const seen = new Set<string>();
    for (let tries = 0; tries < 40 && seen.size < 2; tries++) seen.add((await greet(proxy, "web", 80)).pod);
    assertEquals([...seen].sort(), (await scene.pods("web")).sort());
  });

  it("takes ClusterIPs, pod addresses and pods' own names", async () => {
    const [pod = ""] = await scene.pods("web");
    const ip = await address("pod", pod);
    assertEquals((await greet(proxy, await address("service", "web"), 80)).name, "web");
    assertEquals((await greet(proxy, ip, 8080)).pod, pod);
    const dashed = ip.replaceAll(/[.:]/g, "-");
    for (const host of [`${dashed}.${scene.namespace}.pod.${zone}`, `${dashed}.web.${scene.namespace}.svc.${zone}`]) {
      assertEquals((await greet(proxy, host, 8080)).pod, pod, host);
    }
  });

  it("takes the pods of a StatefulSet, and headless services on any port", async () => {
    for (const pod of ["db-0", "db-1"]) {
      for (const host of [`${pod}.db`, `${pod}.db.${scene.namespace}`, `${pod}.db.${scene.namespace}.svc.${zone}`]) {
        assertEquals((await greet(proxy, host, 8080)).pod, pod, host);
      }
    }
    assertEquals((await greet(proxy, "db", 8080)).name, "db");
    assertEquals((await greet(proxy, "headless", 8080)).name, "web");
    const raw = await through(proxy, "headless", 7000);
    await raw.send("echo\nhello");
    assertEquals(await raw.text(5), "hello");
    raw.stream.close();
  });

  it("follows target ports, by number and by name", async () => {
    assertEquals((await greet(proxy, "numeric", 8000)).name, "web");
    const raw = await through(proxy, "web", 7000);
    await raw.send("unknown words come back\n");
    assertEquals(await raw.text(24), "unknown words come back\n");
    raw.stream.close();
    const sentence = await denied("misnamed", 80, refused, 503, "not-ready");
    assertStringIncludes(sentence, `has ready pods, but none with a container port named "grpc"`);
  });

  it("follows ExternalName services of the cluster, also such as appear later", async () => {
    const external = (name: string, externalName: string) =>
      service(name, { selector: undefined, type: "ExternalName", externalName });
    await scene.apply(
      external("alias", `web.${scene.namespace}.svc.${zone}`),
      external("second", `alias.${scene.namespace}.svc.${zone}`),
      external("elsewhere", `orders.${other.namespace}.svc.${zone}`),
      external("astray", `nothing.${scene.namespace}.svc.${zone}`),
      external("ring", `ring.${scene.namespace}.svc.${zone}`),
    );
    assertEquals((await greet(proxy, "alias", 80)).name, "web");
    assertEquals((await greet(proxy, "second", 80)).name, "web");
    assertEquals((await greet(proxy, "elsewhere", 80)).name, "orders");
    assertMatch(await denied("astray", 80, hostUnreachable, 502, "unknown"), /ExternalName .*nothing/);
    assertMatch(await denied("ring", 80, hostUnreachable, 502, "unknown"), /leads nowhere/);
  });

  it("looks names and addresses up in namespaces that it does not watch", async () => {
    for (const host of [`orders.${other.namespace}`, `orders.${other.namespace}.svc.${zone}`]) {
      assertEquals((await greet(proxy, host, 80)).name, "orders", host);
    }
    const [ip = ""] = await other.find(["service", "orders"], "{.spec.clusterIP}");
    const [pod = ""] = await other.find(["pod", "-l", "app=orders"], "{.items[0].status.podIP}");
    assertEquals((await greet(proxy, ip, 80)).name, "orders");
    assertEquals((await greet(proxy, pod, 8080)).name, "orders");
  });

  it("reaches hand-made endpoints where they are pods", async () => {
    const ip = await address("pod", "db-0");
    for (const [name, address] of [["manual", ip], ["outside", "192.0.2.10"]] as const) {
      const ports = [{ name: "http", port: 8080 }];
      await scene.apply(
        service(name, { selector: undefined, ports: [http] }),
        endpointSlice(name, "1", [{ addresses: [address] }], ports),
      );
    }
    assertEquals((await greet(proxy, "manual", 80)).pod, "db-0");
    assertMatch(await denied("outside", 80, general, 502, "unsupported"), /outside" has endpoints that are no pods/);
    assertMatch(await denied("bare", 80, refused, 503, "not-ready"), /no endpoints: it has no selector/);
  });

  it("says why the pods of a service are not ready", async () => {
    for (
      const [host, reason] of [
        ["unready", /unready-\S+ \(NotReady: the readiness probe of "main" does not succeed\)/],
        ["crashing", /crashing-\S+ \((CrashLoopBackOff|Error).*kubectl -n \S+ logs crashing-\S+ --previous/],
        ["unpulled", /unpulled-\S+ \((ErrImagePull|ImagePullBackOff).*kubectl -n \S+ describe pod/],
        ["unscheduled", /unscheduled-\S+ \(Unschedulable: /],
        ["scaled", /no pods: none with the labels app=scaled is to be seen\. Is its workload scaled to 0\?/],
      ] as const
    ) {
      assertMatch(await denied(host, 80, refused, 503, "not-ready"), reason);
    }
    // What publishes pods that are not ready wants them to be reached.
    assertEquals((await greet(proxy, "published", 80)).name, "unready");
  });

  it("refuses what is not there in the words for it", async () => {
    const { namespace } = scene;
    assertMatch(
      await denied(`wbe.${namespace}.svc.${zone}`, 80, hostUnreachable, 502, "unknown"),
      /no service "wbe" in namespace "hawser-names-\w+"\. Did you mean "web"\?/,
    );
    assertMatch(await denied(`wbe.${namespace}`, 80, hostUnreachable, 502, "unknown"), /"wbe"/);
    assertMatch(await denied("wbe", 80, hostUnreachable, 502, "unknown"), /no service of namespace/);
    assertMatch(
      await denied(`web.no-such-namespace.svc.${zone}`, 80, hostUnreachable, 502, "unknown"),
      /no namespace "no-such-namespace"/,
    );
    assertMatch(await denied(`db-7.db.${namespace}.svc.${zone}`, 80, hostUnreachable, 502, "unknown"), /"db-7"/);
    assertMatch(await denied(`x.y.z.${zone}`, 80, hostUnreachable, 502, "unknown"), /no name of the cluster's/);
    assertMatch(await denied("web", 81, refused, 502, "refused"), /no port 81; it has 80 \(http\), 7000 \(raw\)/);
    assertMatch(await denied("web", 7001, general, 502, "unsupported"), /7001 .*is UDP only/);
    assertMatch(await denied("deaf", 80, refused, 502, "refused"), /nothing listens on port 9999 in pod/);
    assertMatch(await denied("db-0.db", 9999, refused, 502, "refused"), /nothing listens on port 9999 in pod ".*db-0"/);
  });

  it("leaves everything else to the machine and its own proxy", async () => {
    const asked: string[] = [];
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, async (stream) => {
      const end = new End(stream);
      asked.push((await end.head()).split("\r\n")[0]!);
      await end.send("HTTP/1.1 204 No Content\r\n\r\n");
      stream.close();
    });
    try {
      const here = await through(proxy, "localhost", listener.port);
      assertEquals((await exchange(here, "GET", "/here", "localhost")).status, 204);
      here.stream.close();
      await using home = await Home.open({
        http_proxy: `http://127.0.0.1:${listener.port}`,
        HTTP_PROXY: "",
        NO_PROXY: "",
        no_proxy: "",
      });
      const { running, report } = await connectHawser(home, ["-n", scene.namespace]);
      await using _running = running;
      assertEquals((await get(report.port, "http://outside.example/there")).status, 204);
      assertEquals((await get(report.port, "http://web/")).status, 200);
      assert(asked.includes("GET /here HTTP/1.1"), String(asked));
      assertEquals(asked.filter((line) => line.includes("there")), ["GET http://outside.example/there HTTP/1.1"]);
      assertEquals(asked.length, 2, "the cluster's own names went to the user's proxy");
    } finally {
      await listener.close();
    }
  });
});
