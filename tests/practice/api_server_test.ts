import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { KubeObject, Manifest } from "./kube_object.ts";
import { startPractice } from "./practice.ts";
import type { Practice, PracticeOptions } from "./practice.ts";
import { PracticeClient } from "./practice_client.ts";

interface Status {
  readonly kind: string;
  readonly message: string;
  readonly reason: string;
  readonly code: number;
}

interface List {
  readonly kind: string;
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly KubeObject[];
}

interface ConfigMap extends KubeObject {
  readonly data: Readonly<Record<string, string>>;
}

const configMaps = "/api/v1/namespaces/default/configmaps";

function configMap(name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}): Manifest {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default", labels }, data };
}

/** Runs a test against a practice cluster, as a user. */
async function against(
  test: (client: PracticeClient, practice: Practice) => Promise<void>,
  user = "admin",
  options: PracticeOptions = {},
) {
  await using practice = await startPractice(options);
  using client = new PracticeClient(practice, user);
  await test(client, practice);
}

describe("authentication", () => {
  it("knows users by token and by client certificate", () =>
    against(async (byToken, practice) => {
      using byCertificate = new PracticeClient(practice, "admin-certificate");
      const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
      for (const [client, name] of [[byToken, "admin"], [byCertificate, "admin-certificate"]] as const) {
        const { status, body } = await client.request<{ status: { userInfo: { username: string; groups: string[] } } }>(
          "POST",
          path,
          {},
        );
        assertEquals(status, 201);
        assertEquals(body.status.userInfo.username, name);
        assert(body.status.userInfo.groups.includes("system:authenticated"));
      }
    }));

  it("answers 401 to a token that was rotated and to an expired certificate", () =>
    against(
      async (client, practice) => {
        using late = new PracticeClient(practice, "late");
        assertEquals((await late.get<Status>("/api/v1/pods")).status, 401);
        assertEquals((await client.get("/api/v1/pods")).status, 200);
        practice.faults.rotateToken("admin");
        const { status, body } = await client.get<Status>("/api/v1/pods");
        assertEquals([status, body.kind, body.reason, body.message], [401, "Status", "Unauthorized", "Unauthorized"]);
      },
      "admin",
      { users: [{ name: "late", by: "expired-certificate" }] },
    ));

  it("takes those without credentials for system:anonymous, who may see the version only", () =>
    against(async (_, practice) => {
      using nobody = new PracticeClient(practice, null);
      assertEquals((await nobody.get("/version")).status, 200);
      const { status, body } = await nobody.get<Status>("/api/v1/namespaces/default/pods");
      assertEquals(status, 403);
      assertEquals(
        body.message,
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
      );
    }));

  for (const certificate of ["expired", "other-ca", "other-name"] as const) {
    it(`shows a server certificate that is ${certificate}, which clients refuse`, async () => {
      await using practice = await startPractice({ certificate });
      using client = new PracticeClient(practice);
      await assertRejects(() => client.get("/version"), TypeError);
    });
  }

  it("lets administrators, and nobody else, impersonate", () =>
    against(
      async (_, practice) => {
        using asBob = new PracticeClient(practice, "admin", { "Impersonate-User": "bob" });
        const { body } = await asBob.get<Status>("/api/v1/pods");
        assertEquals(
          body.message,
          'pods is forbidden: User "bob" cannot list resource "pods" in API group "" at the cluster scope',
        );
        using asMaster = new PracticeClient(practice, "admin", {
          "Impersonate-User": "bob",
          "Impersonate-Group": "system:masters",
        });
        assertEquals((await asMaster.get("/api/v1/pods")).status, 200);
        using bob = new PracticeClient(practice, "bob", { "Impersonate-User": "admin" });
        assertMatch(
          (await bob.get<Status>("/api/v1/pods")).body.message,
          /^users "admin" is forbidden: .* cannot impersonate resource "users"/,
        );
      },
      "admin",
      { users: [{ name: "bob", rules: [] }] },
    ));
});

describe("authorization", () => {
  const rules = [{ apiGroups: [""], resources: ["pods", "pods/portforward"], verbs: ["get"], namespaces: ["default"] }];
  const users = [{ name: "alice", rules }];

  it("allows what the rules say, where they say it", () =>
    against(
      async (alice) => {
        assertEquals((await alice.get("/api/v1/namespaces/default/pods/x")).status, 404);
        assertEquals((await alice.get("/api/v1/namespaces/kube-system/pods/x")).status, 403);
        assertEquals((await alice.get("/api/v1/namespaces/default/pods")).status, 403);
        assertEquals((await alice.get("/api/v1/namespaces/default/pods/x/log")).status, 403);
      },
      "alice",
      { users },
    ));

  it("answers access reviews as it decides", () =>
    against(
      async (alice) => {
        const ask = async (resourceAttributes: Record<string, string>) => {
          const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
          const { body } = await alice.request<{ status: { allowed: boolean } }>("POST", path, {
            spec: { resourceAttributes },
          });
          return body.status.allowed;
        };
        const portForward = {
          namespace: "default",
          verb: "get",
          group: "",
          resource: "pods",
          subresource: "portforward",
        };
        assertEquals(await ask(portForward), true);
        assertEquals(await ask({ ...portForward, verb: "create" }), false);
        assertEquals(await ask({ ...portForward, namespace: "kube-system" }), false);
        const path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
        const { body } = await alice.request<{ status: { resourceRules: { resources: string[] }[] } }>("POST", path, {
          spec: { namespace: "default" },
        });
        assert(body.status.resourceRules.some((rule) => rule.resources.includes("pods/portforward")));
      },
      "alice",
      { users },
    ));
});

describe("REST", () => {
  it("creates, reads, replaces and deletes", () =>
    against(async (client) => {
      const created = await client.request<ConfigMap>("POST", configMaps, configMap("a", { x: "1" }));
      assertEquals(created.status, 201);
      assertMatch(created.body.metadata.uid, /^[0-9a-f-]{36}$/);
      assertMatch(created.body.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      const replaced = await client.request<ConfigMap>("PUT", `${configMaps}/a`, { ...created.body, data: { x: "2" } });
      assertEquals([replaced.status, replaced.body.data], [200, { x: "2" }]);
      assert(Number(replaced.body.metadata.resourceVersion) > Number(created.body.metadata.resourceVersion));
      assertEquals(replaced.body.metadata.uid, created.body.metadata.uid);
      assertEquals((await client.get<ConfigMap>(`${configMaps}/a`)).body, replaced.body);
      assertEquals((await client.request("DELETE", `${configMaps}/a`)).status, 200);
      assertEquals((await client.get(`${configMaps}/a`)).status, 404);
    }));

  it("words its errors as Kubernetes does", () =>
    against(async (client) => {
      const { body: a } = await client.request<ConfigMap>("POST", configMaps, configMap("a"));
      const cases: [method: string, path: string, body: unknown, code: number, reason: string, message: string][] = [
        ["GET", `${configMaps}/b`, undefined, 404, "NotFound", 'configmaps "b" not found'],
        [
          "GET",
          "/apis/apps/v1/namespaces/default/deployments/b",
          undefined,
          404,
          "NotFound",
          'deployments.apps "b" not found',
        ],
        ["GET", "/api/v1/nonsense", undefined, 404, "NotFound", "the server could not find the requested resource"],
        ["POST", configMaps, configMap("a"), 409, "AlreadyExists", 'configmaps "a" already exists'],
        [
          "POST",
          configMaps,
          configMap("A!"),
          422,
          "Invalid",
          'ConfigMap "A!" is invalid: metadata.name: Invalid value',
        ],
        [
          "POST",
          "/api/v1/namespaces/nowhere/configmaps",
          { ...configMap("a"), metadata: { name: "a" } },
          404,
          "NotFound",
          'namespaces "nowhere" not found',
        ],
        [
          "PUT",
          `${configMaps}/a`,
          { ...a, metadata: { ...a.metadata, resourceVersion: "1" } },
          409,
          "Conflict",
          'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
        ],
        [
          "PUT",
          `${configMaps}/a`,
          { ...a, metadata: { ...a.metadata, uid: "other" } },
          409,
          "Conflict",
          "Precondition failed: UID",
        ],
        [
          "GET",
          `${configMaps}?fieldSelector=data.x%3D1`,
          undefined,
          400,
          "BadRequest",
          "field label not supported: data.x",
        ],
        [
          "POST",
          "/api/v1/namespaces/default/services",
          { kind: "Service", metadata: { name: "s" }, spec: {} },
          422,
          "Invalid",
          "spec.ports: Required value",
        ],
      ];
      for (const [method, path, sent, code, reason, message] of cases) {
        const { status, body } = await client.request<Status>(method, path, sent);
        assertEquals([status, body.kind, body.code, body.reason], [code, "Status", code, reason], `${method} ${path}`);
        assertStringIncludes(body.message, message);
      }
    }));

  it("patches by merge, strategic merge, JSON patch and apply", () =>
    against(async (client) => {
      await client.request("POST", configMaps, configMap("a", { x: "1", y: "1" }));
      const patch = (type: string, body: unknown) => client.request<ConfigMap>("PATCH", `${configMaps}/a`, body, type);
      assertEquals((await patch("merge", { data: { x: null, z: "1" } })).body.data, { y: "1", z: "1" });
      assertEquals((await patch("strategic-merge", { data: { y: "2" } })).body.data, { y: "2", z: "1" });
      assertEquals((await patch("json", [{ op: "replace", path: "/data/y", value: "3" }])).body.data, {
        y: "3",
        z: "1",
      });
      assertEquals((await patch("json", [{ op: "test", path: "/data/y", value: "no" }])).status, 422);
      assertEquals((await patch("odd", {})).status, 415);
      const applied = await client.request<ConfigMap>(
        "PATCH",
        `${configMaps}/b?fieldManager=t`,
        configMap("b", { n: "1" }),
        "apply",
      );
      assertEquals(applied.body.data, { n: "1" });
      assertEquals((await client.request("PATCH", `${configMaps}/c`, {}, "merge")).status, 404);
    }));

  it("lists in pages, by labels and by fields, without the items' kinds", () =>
    against(async (client) => {
      for (const name of ["a", "b", "c", "d", "e"]) {
        await client.request(
          "POST",
          configMaps,
          configMap(name, {}, { letter: name, vowel: String("ae".includes(name)) }),
        );
      }
      const names = ({ body }: { body: List }) => body.items.map((item) => item.metadata.name);
      const first = await client.get<List>(`${configMaps}?limit=2`);
      assertEquals([first.body.kind, ...names(first)], ["ConfigMapList", "a", "b"]);
      assertEquals([first.body.metadata.remainingItemCount, first.body.items[0]!.kind], [3, undefined]);
      const second = await client.get<List>(
        `${configMaps}?limit=9&continue=${encodeURIComponent(first.body.metadata.continue!)}`,
      );
      assertEquals([names(second), second.body.metadata.continue], [["c", "d", "e"], undefined]);
      assertEquals(second.body.metadata.resourceVersion, first.body.metadata.resourceVersion);
      const select = async (query: string) =>
        names(await client.get<List>(`${configMaps}?${new URLSearchParams(query)}`));
      assertEquals(await select("labelSelector=vowel=true"), ["a", "e"]);
      assertEquals(await select("labelSelector=letter in (b,c),vowel!=true"), ["b", "c"]);
      assertEquals(await select("labelSelector=letter notin (b,c)"), ["a", "d", "e"]);
      assertEquals(await select("labelSelector=!letter"), []);
      assertEquals(await select("fieldSelector=metadata.name=d"), ["d"]);
    }));

  it("answers 410 to a list that goes on from a forgotten version", () =>
    against(async (client, practice) => {
      for (const name of ["a", "b"]) await client.request("POST", configMaps, configMap(name));
      const { body } = await client.get<List>(`${configMaps}?limit=1`);
      practice.faults.forgetHistory();
      const late = await client.get<Status>(
        `${configMaps}?limit=1&continue=${encodeURIComponent(body.metadata.continue!)}`,
      );
      assertEquals([late.status, late.body.reason], [410, "Expired"]);
    }));

  it("does nothing on a dry run", () =>
    against(async (client, practice) => {
      const { status } = await client.request("POST", `${configMaps}?dryRun=All`, configMap("a"));
      assertEquals([status, practice.list("configmaps").length], [201, 0]);
    }));

  it("takes away what belonged to a deleted object, and keeps an object until its finalizers are done", () =>
    against(async (client, practice) => {
      const { body: owner } = await client.request<ConfigMap>("POST", configMaps, configMap("owner"));
      const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.metadata.uid }];
      const dependent = configMap("dependent");
      const finalizers = ["practice/keep"];
      await client.request("POST", configMaps, {
        ...dependent,
        metadata: { ...dependent.metadata, ownerReferences, finalizers },
      });
      await client.request("DELETE", `${configMaps}/owner`);
      const kept = practice.get<ConfigMap>("configmaps", "default", "dependent");
      assert(kept?.metadata.deletionTimestamp);
      await client.request("PATCH", `${configMaps}/dependent`, { metadata: { finalizers: null } }, "merge");
      assertEquals(practice.list("configmaps"), []);
    }));

  it("empties a namespace that is deleted", () =>
    against(async (client, practice) => {
      await practice.addService({ namespace: "dev", name: "orders" });
      await client.request("DELETE", "/api/v1/namespaces/dev");
      await practice.settled();
      assertEquals([practice.list("pods", "dev"), practice.list("services", "dev")], [[], []]);
    }));

  it("shows metadata alone to those who ask for it", () =>
    against(async (_, practice) => {
      const accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
      using client = new PracticeClient(practice, "admin", { Accept: accept });
      const { body } = await client.get<List>("/api/v1/namespaces/default/services");
      assertEquals([body.kind, body.items[0]!.metadata.name, body.items[0]!.spec], [
        "PartialObjectMetadataList",
        "kubernetes",
        undefined,
      ]);
    }));

  it("scales by the subresource", () =>
    against(async (client, practice) => {
      await practice.addService({ namespace: "dev", name: "orders" });
      const path = "/apis/apps/v1/namespaces/dev/deployments/orders/scale";
      const { body } = await client.request<{ kind: string; spec: unknown }>(
        "PATCH",
        path,
        { spec: { replicas: 3 } },
        "merge",
      );
      assertEquals([body.kind, body.spec], ["Scale", { replicas: 3 }]);
      await practice.settled();
      assertEquals(practice.list("pods", "dev").length, 3);
    }));

  it("tells clients what it can do", () =>
    against(
      async (client) => {
        assertEquals((await client.get("/readyz")).status, 200);
        const { body: version } = await client.get<{ gitVersion: string; minor: string }>("/version");
        assertEquals([version.gitVersion, version.minor], ["v1.20.15", "20"]);
        const { body: apis } = await client.get<{ groups: { name: string }[] }>("/apis");
        assert(apis.groups.every(({ name }) => name !== "discovery.k8s.io"));
        assertEquals((await client.get("/apis/discovery.k8s.io/v1/endpointslices")).status, 404);
        const { body: core } = await client.get<{ resources: { name: string }[] }>("/api/v1");
        assert(core.resources.some(({ name }) => name === "pods/portforward"));
      },
      "admin",
      { version: "1.20.15", endpointSlices: false },
    ));

  it("counts what it was asked and what was written", () =>
    against(async (client, practice) => {
      await client.get("/api/v1/pods");
      await client.get("/api/v1/pods?watch=true&timeoutSeconds=1&resourceVersion=1");
      await client.request("POST", configMaps, configMap("a"));
      await client.request("POST", configMaps, configMap("a"));
      const { counters } = practice;
      assertEquals([counters.count("list"), counters.count("watch", "/api/v1/pods"), counters.count("create")], [
        1,
        1,
        2,
      ]);
      assertEquals(counters.requests.map(({ status }) => status), [200, 200, 201, 409]);
      assertEquals(counters.writes, ["create configmaps default/a"]);
      assertEquals([counters.connections, counters.tlsConnections], [1, 1]);
    }));
});
