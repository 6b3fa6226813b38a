import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { openAccess } from "../../src/cluster/open_access.ts";
import { openApi } from "../../src/cluster/open_api.ts";
import { openDirectory } from "../../src/cluster/open_directory.ts";
import { openDns } from "../../src/dns/open_dns.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { silentLog } from "../../src/platform/log.ts";
import { type Asked, askTcp, askUdp, queryMessage, type Seen } from "../dns/dns_client.ts";
import { dnsScene } from "./dns_scene.ts";
import { kubectl, kubectlForward } from "./kubectl.ts";

type Type = Asked["type"];

const suffix = crypto.randomUUID().slice(0, 8);
const namespace = `hawser-dns-${suffix}`;
const other = `hawser-dns-other-${suffix}`;
const zone = "cluster.local";
const place = `${namespace}.svc.${zone}`;
/** Milliseconds until what the API server knows has reached CoreDNS and us, its cache of 30 s included. */
const patience = 60_000;
/** Queries on one connection to CoreDNS, which closes it after 128. */
const batch = 64;

describe("DNS beside CoreDNS", () => {
  const stack = new AsyncDisposableStack();
  let ours = 0;
  let oracle = 0;

  beforeAll(async () => {
    for (const name of [namespace, other]) {
      await kubectl(["create", "namespace", name]);
      stack.defer(async () => void await kubectl(["delete", "namespace", name, "--wait=false"]));
    }
    await kubectl(["apply", "-f", "-"], JSON.stringify(dnsScene(namespace, other)));
    for (const workload of ["deployment/web", "statefulset/db"]) {
      await kubectl(["rollout", "status", "-n", namespace, workload, "--timeout=120s"]);
    }
    await kubectl([
      "wait",
      "-n",
      namespace,
      "pod",
      "-l",
      "app=broken",
      "--for=jsonpath={.status.podIP}",
      "--timeout=120s",
    ]);

    const pods = await kubectl(["get", "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns", "-o", "name"]);
    const forward = await kubectlForward("kube-system", pods.split("\n")[0]!, 53);
    stack.use(forward);
    oracle = forward.port;

    const deps = { clock: systemClock, log: silentLog };
    const access = await openAccess({ namespace }, deps);
    const api = openApi(access, deps);
    stack.defer(() => api.close());
    const directory = await openDirectory(api, { namespace, zone }, deps);
    stack.defer(() => directory.close());
    const dns = await openDns({ port: 0 }, { ...deps, directory });
    stack.defer(() => dns.close());
    ours = dns.port;
  });

  afterAll(() => stack.disposeAsync());

  /** Both say the same to all questions, sooner or later. */
  async function agree(questions: readonly Asked[]): Promise<void> {
    const started = performance.now();
    for (;;) {
      const differences = compare(questions, await askAll(ours, questions), await askAll(oracle, questions));
      if (differences.length === 0) return;
      if (performance.now() - started > patience) throw new Error(`CoreDNS differs:\n${differences.join("\n")}`);
      await systemClock.sleep(1000);
    }
  }

  it("gives the addresses of services and endpoints", async () => {
    const names = [
      ...["web", "unnamed", "both", "db", "portless", "idle", "idle-cluster", "published", "manual", "manual-headless"],
      ...["empty", "empty-headless", "db-0.db", "db-1.db", "db-2.db", "box.manual-headless", "no", "no.web"],
      ...["192-0-2-20.manual-headless", "192-0-2-21.manual-headless", "192-0-2-22.manual-headless"],
      ...["192-0-2-23.manual-headless", "192-0-2-10.manual", "db-0.web"],
    ];
    await agree(crossed([...names.map(local), `orders.${other}.svc.${zone}`, ...await dashedNames()], ["A", "AAAA"]));
  });

  it("gives the ports of services and of endpoints", async () => {
    const whole = [
      "web",
      "unnamed",
      "both",
      "db",
      "portless",
      "idle",
      "published",
      "manual",
      "manual-headless",
      "empty",
    ];
    const named = [
      ...["_http._tcp.web", "_raw._tcp.web", "_http._udp.web", "_grpc._tcp.web", "_http._tcp.unnamed"],
      ...["_dns._udp.both", "_dns._tcp.both", "_dns-tcp._tcp.both", "_twin._udp.both", "_http._tcp.db"],
      ...["_http._tcp.idle", "_http._tcp.published", "_http._tcp.manual", "_http._tcp.manual-headless"],
      ...["_metrics._tcp.manual-headless", "_http._tcp.alias", "_http._tcp.empty", "_http._tcp.empty-headless"],
      ...["_http._tcp.no", "_http._tcp.db-0.db", "db-0.db", "box.manual-headless"],
    ];
    await agree(crossed([...whole, ...named].map(local), ["SRV"]));
    await agree(crossed([local("_http._tcp.web"), local("_http._tcp.db")], ["A", "AAAA"]));
  });

  it("follows ExternalName services", async () => {
    const names = ["alias", "second", "pod-alias", "headless-alias", "elsewhere", "astray", "ring", "outside"];
    await agree(crossed(names.map(local), ["A", "AAAA", "CNAME", "SRV", "TXT"]));
  });

  it("names cluster addresses, and endpoints with and without host names", async () => {
    const json = await kubectl(["get", "services", "-n", namespace, "-o", "json"]);
    const { items }: { items: { spec: { clusterIP?: string } }[] } = JSON.parse(json);
    const clusterIPs = items.flatMap(({ spec }) => spec.clusterIP && spec.clusterIP !== "None" ? [spec.clusterIP] : []);
    const addresses = [
      ...clusterIPs,
      ...await podIPs(),
      "10.96.0.1",
      "10.96.0.10",
      "192.0.2.10",
      "192.0.2.20",
      "192.0.2.23",
    ];
    await agree(addresses.map((address) => ({ name: reverseName(address), type: "PTR" })));
  });

  it("tells names without data from names that do not exist", async () => {
    const names = [
      ...[zone, `svc.${zone}`, `pod.${zone}`, place, `${namespace}.pod.${zone}`, `${other}.svc.${zone}`],
      ...[
        `no-such.svc.${zone}`,
        `no-such.pod.${zone}`,
        `web.${zone}`,
        `a.b.c.${place}`,
        `a.b.c.d.${place}`,
        local("web"),
      ],
    ];
    await agree(crossed(names, ["A", "AAAA", "SRV", "CNAME", "MX", "PTR"]));
  });

  it("echoes the addresses in pod names", async () => {
    const names = ["10-1-2-3", "fd00--3", "1-2-3", "x"].map((pod) => `${pod}.${namespace}.pod.${zone}`);
    await agree(crossed([...names, `10-1-2-3.no-such.pod.${zone}`], ["A", "AAAA", "CNAME", "TXT"]));
  });

  it("says the version of the specification", async () => {
    await agree([{ name: `dns-version.${zone}`, type: "TXT" }]);
  });

  it("keeps the case of the question", async () => {
    const name = `WEB.${namespace}.Svc.Cluster.LOCAL`;
    await agree(crossed([name, `_HTTP._Tcp.${name}`], ["A", "SRV", "MX"]));
    const [answer] = await askAll(ours, [{ name, type: "A" }]);
    assert(answer?.answers.every((text) => text.startsWith(`${name} `)), answer?.answers.join());
  });

  it("differs where it chooses to: ANY, and what exists has no data instead of being unknown", async () => {
    const chosen: [Asked, string, string][] = [
      [{ name: place, type: "TXT" }, "NODATA", "NXDOMAIN"],
      [{ name: zone, type: "TXT" }, "NODATA", "NXDOMAIN"],
      [{ name: `dns-version.${zone}`, type: "A" }, "NODATA", "NXDOMAIN"],
      [{ name: `http.tcp.web.${place}`, type: "SRV" }, "NXDOMAIN", "data"],
      [{ name: reverseName("192.0.2.99"), type: "PTR" }, "REFUSED", "NXDOMAIN"],
      [{ name: local("web"), type: "ANY" }, "data", "NODATA"],
      // CoreDNS makes up a port 0.
      [{ name: `10-1-2-3.${namespace}.pod.${zone}`, type: "SRV" }, "NODATA", "data"],
    ];
    const questions = chosen.map(([question]) => question);
    assertEquals((await askAll(ours, questions)).map(kindOf), chosen.map(([, kind]) => kind));
    assertEquals((await askAll(oracle, questions)).map(kindOf), chosen.map(([, , kind]) => kind));
  });

  it("answers short names as a pod has them", async () => {
    const forms: [string, string[]][] = [
      [local("web"), ["web", `web.${namespace}`, `web.${namespace}.svc`, `Web.${namespace.toUpperCase()}`]],
      [local("db-1.db"), ["db-1.db", `db-1.db.${namespace}`, `db-1.db.${namespace}.svc`]],
      [`orders.${other}.svc.${zone}`, [`orders.${other}`, `orders.${other}.svc`]],
    ];
    for (const [full, names] of forms) {
      const [theirs] = await askAll(oracle, [{ name: full, type: "A" }]);
      const expected = theirs?.answers.map(dataOf);
      assert(expected && expected.length > 0, full);
      for (const name of names) {
        const { answers } = await askUdp(ours, queryMessage({ name, type: "A" }));
        assertEquals(answers, expected.map((data) => `${name} A ${data}`));
      }
    }
  });

  /** Names that endpoints of a ClusterIP service have by their address. */
  async function dashedNames(): Promise<string[]> {
    return (await podIPs()).map((address) => local(`${address.replaceAll(".", "-")}.web`));
  }

  async function podIPs(): Promise<string[]> {
    const text = await kubectl(["get", "pods", "-n", namespace, "-o", "jsonpath={.items[*].status.podIP}"]);
    return text.split(" ");
  }
});

function local(name: string): string {
  return `${name}.${place}`;
}

function reverseName(address: string): string {
  return `${address.split(".").reverse().join(".")}.in-addr.arpa`;
}

function crossed(names: readonly string[], types: readonly Type[]): Asked[] {
  return names.flatMap((name) => types.map((type) => ({ name, type })));
}

async function askAll(port: number, questions: readonly Asked[]): Promise<Seen[]> {
  const answers: Seen[] = [];
  for (let start = 0; start < questions.length; start += batch) {
    const messages = questions.slice(start, start + batch).map((question, id) => queryMessage({ ...question, id }));
    answers.push(...(await askTcp(port, messages)).sort((a, b) => a.id - b.id));
  }
  return answers;
}

/** Order, case and TTL do not matter; neither does who is authoritative, which CoreDNS's cache forgets. */
function compare(questions: readonly Asked[], ours: readonly Seen[], theirs: readonly Seen[]): string[] {
  return questions.flatMap(({ name, type }, index) => {
    const [own, oracle] = [essence(ours[index]), essence(theirs[index])];
    return own === oracle ? [] : [`${type} ${name}\n  ours    ${own}\n  CoreDNS ${oracle}`];
  });
}

function essence(seen: Seen | undefined): string {
  if (!seen) return "nothing";
  const { rcode, answers, authorities, additionals } = seen;
  const parts = [rcode, ...answers, "|", ...authorities, "|", ...additionals];
  return parts.join("; ").toLowerCase();
}

function kindOf({ rcode, answers }: Seen): string {
  if (rcode !== "NOERROR") return rcode;
  return answers.length > 0 ? "data" : "NODATA";
}

function dataOf(text: string): string {
  return text.split(" ").slice(2).join(" ");
}
