import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type Permission, permissions } from "../../src/cluster/permissions.ts";
import { connectHawser, Home, runHawser, RunningHawser } from "./hawser.ts";
import { kubectl } from "./kubectl.ts";
import { deployment, service } from "./manifests.ts";
import { get, greet, open } from "./proxy_client.ts";
import { Scene } from "./scene.ts";
import {
  accountWithRole,
  certificateUser,
  type Credentials,
  roleBinding,
  type Rule,
  tokenUser,
  writeKubeconfig,
} from "./users.ts";

/** A user who lacks some of what the Role of `hawser doctor --rbac` gives. */
interface Case {
  readonly account: string;
  readonly lacks: readonly { readonly resource: string; readonly verbs: readonly string[] }[];
}

const http = { name: "http", port: 80, targetPort: "http" };

/** One verb less, for every verb that `connect` asks for. */
const oneLess: readonly Case[] = permissions.connect.flatMap((permission) =>
  permission.verbs.map((verb) => ({
    account: `no-${verb}-${resourceOf(permission).replace("/", "-")}`,
    lacks: [{ resource: resourceOf(permission), verbs: [verb] }],
  }))
);

const withoutWatches: Case = {
  account: "no-watch",
  lacks: ["services", "endpointslices", "pods"].map((resource) => ({ resource, verbs: ["watch"] })),
};
const onlyGet: Case = {
  account: "only-get",
  lacks: ["services", "endpointslices", "pods"].map((resource) => ({ resource, verbs: ["list", "watch"] })),
};
const withoutServices = whole("services");
const withoutSlices = whole("endpointslices");
const withoutPods = whole("pods");
const withoutSlicesAndPods = whole("endpointslices", "pods");
const withoutPortForward = whole("pods/portforward");
const withoutWorkloads = whole("deployments");

describe("rights", () => {
  const stack = new AsyncDisposableStack();
  let scene: Scene, home: Home;
  let before: string[];
  let minor = 0;

  beforeAll(async () => {
    scene = stack.use(await Scene.open("rights"));
    home = stack.use(await Home.open());
    const { namespace } = scene;
    const granted = await runHawser(home, ["doctor", "--rbac", "-n", namespace]);
    assertEquals(granted.stderr, "");
    await kubectl(["-n", namespace, "apply", "-f", "-"], granted.stdout);
    const role = { kind: "Role", name: "hawser" } as const;
    const cases = [
      ...oneLess,
      ...[withoutWatches, onlyGet, withoutServices, withoutSlices, withoutPods, withoutSlicesAndPods],
      ...[withoutPortForward, withoutWorkloads],
    ];
    await scene.apply(
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "documented" } },
      roleBinding("documented", role, { kind: "ServiceAccount", name: "documented", namespace }),
      roleBinding("certified", role, { kind: "User", name: namespace }),
      ...cases.flatMap(({ account, lacks }) => accountWithRole(account, namespace, rules(lacks))),
      deployment("web"),
      service("web", { ports: [http] }),
      deployment("scaled", { replicas: 0 }),
      service("scaled", { ports: [http] }),
      deployment("unready", { readinessProbe: { tcpSocket: { port: 1 } } }),
      service("unready", { ports: [http] }),
    );
    await scene.ready("deployment/web");
    await scene.wait("unready", "{.status.containerStatuses[0].state.running.startedAt}");
    const version: { serverVersion: { minor: string } } = JSON.parse(await kubectl(["version", "-o", "json"]));
    minor = parseInt(version.serverVersion.minor);
    before = await everything();
  });

  afterAll(() => stack.disposeAsync());

  /** Names and versions of all objects in the namespace but what Kubernetes notes on its own. */
  async function everything(): Promise<string[]> {
    const kinds = (await kubectl(["api-resources", "--namespaced", "--verbs=list", "-o", "name"])).trim().split("\n");
    const ours = kinds.filter((kind) => !/^(events|leases|.*metrics\.k8s\.io)/.test(kind));
    const path = '{range .items[*]}{.kind}/{.metadata.name}@{.metadata.resourceVersion}{"\\n"}{end}';
    const list = await scene.kubectl("get", ours.join(","), "-o", `jsonpath=${path}`);
    return list.trim().split("\n").sort();
  }

  async function as(account: string, user?: Credentials): Promise<string[]> {
    const { namespace } = scene;
    const file = `${home.folder}/${account}.kubeconfig`;
    await writeKubeconfig(file, { user: user ?? await tokenUser(scene, account), namespace });
    return ["--kubeconfig", file];
  }

  /** Everything that connect and forward promise works. */
  async function works(options: readonly string[]): Promise<void> {
    const { running, report } = await connectHawser(home, options);
    await using _running = running;
    assertEquals(report.services.map(({ name, ready, total }) => [name, ready, total]), [
      ["scaled", 0, 0],
      ["unready", 0, 1],
      ["web", 1, 1],
    ]);
    assertEquals((await greet(report.port, "web", 80)).name, "web");
    const [ip = ""] = await scene.find(["pod", "-l", "app=web"], "{.items[0].status.podIP}");
    assertEquals((await greet(report.port, ip, 8080)).name, "web");
    assertMatch((await get(report.port, "http://unready/")).text, /readiness probe/);
    const elsewhere = await get(report.port, `http://web.other.svc.${report.zone}/`);
    assertEquals([elsewhere.status, elsewhere.error], [403, "forbidden"]);
    assertMatch(elsewhere.text, /^You may not get services in namespace "other"/);

    const words = ["forward", ...options, "-o", "json", "web", ":80", "deploy/web", ":http"];
    await using forward = new RunningHawser(home, words);
    const { forwards }: { forwards: { port: number }[] } = JSON.parse(await forward.line());
    assertEquals(forwards.length, 2);
    for (const { port } of forwards) {
      const end = await open(port);
      await end.send("GET / HTTP/1.1\r\nHost: web\r\n\r\n");
      assertStringIncludes(await end.head(), "200 OK");
      end.stream.close();
    }
    assertEquals(running.stderr, "");
  }

  /** What a request for a service by name is answered. */
  async function asked({ account }: Case, host = "web"): Promise<{ status: number; text: string }> {
    const { running, report } = await connectHawser(home, await as(account));
    await using _running = running;
    return await get(report.port, `http://${host}/`);
  }

  it("suffice as doctor --rbac prints them, to a service account", async () => {
    await works(await as("documented"));
  });

  it("suffice as doctor --rbac prints them, to a user with a certificate", async () => {
    await works(await as("certified", await certificateUser(scene.namespace)));
  });

  it("are all found by doctor", async () => {
    const ended = await runHawser(home, ["doctor", ...await as("documented"), "-o", "json"]);
    const { findings }: { findings: { subject: string; state: string; what: string }[] } = JSON.parse(ended.stdout);
    assertEquals(findings.filter(({ state }) => state === "fail"), []);
    const poor = await runHawser(home, ["doctor", ...await as(withoutPortForward.account)]);
    assertEquals(poor.code, 1);
    assertMatch(poor.stdout, /FAIL .*pods\/portforward/);
  });

  for (const each of oneLess) {
    it(`reach services without ${each.account.replace("no-", "").replace("-", " on ")}, or say what is missing`, async () => {
      const { status, text } = await asked(each);
      const { resource, verbs: [verb] } = each.lacks[0]!;
      // From Kubernetes 1.35 on a WebSocket needs create beside get.
      if (resource === "pods/portforward" && verb === "create" && minor >= 35) {
        assertEquals(status, 403);
        assertStringIncludes(text, "get and create on pods/portforward");
      } else assertEquals([status, status === 200 ? "" : text], [200, ""]);
    });
  }

  it("reach services where nothing may be watched, or only single objects read", async () => {
    for (const each of [withoutWatches, withoutSlices, withoutPods]) {
      const { status, text } = await asked(each);
      assertEquals([status, status === 200 ? "" : text], [200, ""], each.account);
    }
  });

  it("lead to one sentence with verb and resource where nothing is left to try", async () => {
    const { namespace } = scene;
    for (const each of [onlyGet, withoutSlicesAndPods]) {
      const { status, text } = await asked(each);
      assertEquals(status, 403, `${each.account}: ${text}`);
      assertStringIncludes(text, `list`, each.account);
      assertStringIncludes(text, `endpointslices.discovery.k8s.io in namespace "${namespace}"`, each.account);
    }
    const { status, text } = await asked(withoutPortForward);
    assertEquals(status, 403);
    assertStringIncludes(text, `get and create on pods/portforward in namespace "${namespace}"`);

    const refused = await runHawser(home, ["connect", ...await as(withoutServices.account)]);
    assertEquals([refused.code, refused.stdout], [1, ""]);
    assertMatch(
      refused.stderr,
      /^hawser: .*cannot list resource "services".*the Role that hawser doctor --rbac .*\n$/,
    );

    const forward = await runHawser(home, ["forward", ...await as(withoutWorkloads.account), "deploy/web", ":80"]);
    assertEquals([forward.code, forward.stdout], [1, ""]);
    assertMatch(forward.stderr, /^hawser: .*get.*deployments.*\n$/);
    assertEquals(forward.stderr.trimEnd().split("\n").length, 1);
  });

  it("say why no pod is ready as far as pods may be read", async () => {
    assertMatch((await asked(withoutPods, "unready")).text, /pods may not be read here/);
  });

  it("are never used to create, change or delete anything", async () => {
    assertEquals(await everything(), before);
    assert(before.some((object) => object.startsWith("Pod/web-")), "the list has pods");
  });
});

function resourceOf({ resource, subresource }: Permission): string {
  return subresource === "" ? resource : `${resource}/${subresource}`;
}

function whole(...resources: readonly string[]): Case {
  return {
    account: `none-${resources.join("-").replace("/", "-")}`,
    lacks: resources.map((resource) => ({ resource, verbs: ["get", "list", "watch", "create"] })),
  };
}

/** The documented rules without some verbs. */
function rules(lacks: Case["lacks"]): Rule[] {
  return permissions.forward.flatMap((permission) => {
    const lacking = lacks.find(({ resource }) => resource === resourceOf(permission))?.verbs ?? [];
    const verbs = permission.verbs.filter((verb) => !lacking.includes(verb));
    const resources = [resourceOf(permission)];
    return verbs.length === 0 ? [] : [{ apiGroups: [permission.group], resources, verbs }];
  });
}
