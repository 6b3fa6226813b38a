import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ApiError } from "../../src/cluster/api.ts";
import { findWorkload, parseWorkload } from "../../src/cluster/workload.ts";
import { at, FakeApi, namespaceObject, namespacesPath, podObject, serviceObject } from "./fake_api.ts";

const never = new AbortController().signal;
const deployments = "/apis/apps/v1/namespaces/dev/deployments";

function cluster(): FakeApi {
  const api = new FakeApi();
  for (const name of ["dev", "shop"]) api.put(namespacesPath, namespaceObject(name));
  api.put(at("dev", "services"), serviceObject("dev", "orders"));
  api.put(deployments, {
    metadata: { name: "api" },
    spec: { selector: { matchLabels: { app: "api", tier: "back" } } },
  });
  const labels = { app: "api", tier: "back" };
  const spec = { nodeName: "node-1" };
  api.put(at("dev", "pods"), podObject("dev", "api-1", "10.244.0.1", { labels, ready: false, spec }));
  api.put(at("dev", "pods"), podObject("dev", "api-2", "10.244.0.2", { labels, spec }));
  api.put(at("dev", "pods"), podObject("dev", "other", "10.244.0.3", { labels: { app: "api" }, spec }));
  return api;
}

const find = (api: FakeApi, text: string, namespace = "dev") =>
  findWorkload(api, parseWorkload(text), namespace, never);

describe("parseWorkload", () => {
  for (
    const [text, kind] of [
      ["mysql", "service"],
      ["svc/mysql", "service"],
      ["service/mysql", "service"],
      ["services/mysql", "service"],
      ["pod/mysql", "pod"],
      ["po/mysql", "pod"],
      ["deploy/mysql", "deployment"],
      ["Deployment/mysql", "deployment"],
      ["sts/mysql", "statefulset"],
      ["rs/mysql", "replicaset"],
      ["ds/mysql", "daemonset"],
      ["job/mysql", "job"],
    ] as const
  ) {
    it(`reads ${text} as a ${kind}`, () => assertEquals(parseWorkload(text), { kind, name: "mysql" }));
  }

  it("refuses unknown kinds with the nearest one", () => {
    assertThrows(
      () => parseWorkload("depoly/api"),
      TypeError,
      '"depoly" in "depoly/api" is no kind with pods. Did you mean "deploy"? Use svc/NAME, pod/NAME, deploy/NAME',
    );
  });

  it("refuses what is no name", () => {
    for (const text of ["", "pod/", "pod/a/b", "pod/UPPER", "a b", "-x"]) {
      assertThrows(() => parseWorkload(text), TypeError, `"${text}" is no`);
    }
  });
});

describe("findWorkload", () => {
  it("finds the pods of a deployment by its selector, the best first", async () => {
    const { kind, name, namespace, pods } = await find(cluster(), "deploy/api");
    assertEquals([kind, name, namespace], ["deployment", "api", "dev"]);
    assertEquals(pods.map(({ name }) => name), ["api-2", "api-1"]);
  });

  it("finds a pod by its name", async () => {
    assertEquals((await find(cluster(), "pod/api-1")).pods.map(({ name }) => name), ["api-1"]);
  });

  it("finds a service with its pods", async () => {
    const api = cluster();
    api.put(at("dev", "pods"), podObject("dev", "orders-1", "10.244.0.9", { labels: { app: "orders" } }));
    const { service, pods } = await find(api, "orders");
    assertEquals([service?.name, pods.map(({ name }) => name)], ["orders", ["orders-1"]]);
  });

  it("has no pods for a service without selector", async () => {
    const api = cluster();
    api.put(at("dev", "services"), serviceObject("dev", "manual", { selector: undefined }));
    assertEquals((await find(api, "manual")).pods, []);
    assertEquals(api.asked, [`get ${at("dev", "services")}/manual`]);
  });

  it("asks with set-based selectors as well", async () => {
    const api = cluster();
    const matchExpressions = [
      { key: "app", operator: "In", values: ["a", "b"] },
      { key: "tier", operator: "NotIn", values: ["x"] },
      { key: "live", operator: "Exists" },
      { key: "dead", operator: "DoesNotExist" },
    ];
    const selector = { matchLabels: { team: "t" }, matchExpressions };
    api.put(deployments, { metadata: { name: "set" }, spec: { selector } });
    await find(api, "deploy/set");
    assertEquals(
      api.asked.at(-1),
      `list ${at("dev", "pods")}?labelSelector=team=t,app in (a,b),tier notin (x),live,!dead`,
    );
  });

  it("says that there is none, and the nearest name", async () => {
    const error = await assertRejects(() => find(cluster(), "deploy/apo"), ApiError);
    assertEquals(error.message, 'There is no deployment "apo" in namespace "dev". Did you mean "api"?');
  });

  it("lists some where no name is near, and leaves out hawser's own", async () => {
    const api = cluster();
    const names = ["a", "b", "c", "d", "e", "f"].map((letter) => `${letter}-service`);
    for (const name of names) api.put(at("shop", "services"), serviceObject("shop", name));
    const origin = serviceObject("shop", "a-service-hawser-origin");
    const labels = { "app.kubernetes.io/managed-by": "hawser" };
    api.put(at("shop", "services"), { ...origin, metadata: { ...origin.metadata, labels } });
    const error = await assertRejects(() => find(api, "nothing", "shop"), ApiError);
    assertEquals(
      error.message,
      `There is no service "nothing" in namespace "shop". There are ${names.slice(0, 5).join(", ")} and 1 more.`,
    );
  });

  it("points to an object of another kind with that name", async () => {
    const error = await assertRejects(() => find(cluster(), "api"), ApiError);
    assertEquals(error.message, 'There is no service "api" in namespace "dev". Did you mean "deploy/api"?');
    const other = await assertRejects(() => find(cluster(), "api-1"), ApiError);
    assertEquals(other.message, 'There is no service "api-1" in namespace "dev". Did you mean "pod/api-1"?');
  });

  it("says that the namespace does not exist", async () => {
    const error = await assertRejects(() => find(cluster(), "orders", "shpo"), ApiError);
    assertEquals(error.message, 'The cluster has no namespace "shpo". Did you mean "shop"?');
  });

  it("says plainly that there is none where nothing else may be read", async () => {
    const api = cluster();
    for (const path of [namespacesPath, at("dev", "services"), at("dev", "pods"), deployments]) {
      api.fail("list", path, 403);
    }
    const error = await assertRejects(() => find(api, "mysql"), ApiError);
    assertEquals(error.message, 'There is no service "mysql" in namespace "dev".');
  });

  it("names the right that is missing", async () => {
    const api = cluster();
    api.fail("get", deployments, 403);
    const error = await assertRejects(() => find(api, "deploy/api"), ApiError);
    assertEquals(
      error.message,
      'You may not read deployment "api" in namespace "dev". Ask for the verb get on deployments.apps there',
    );
  });
});
