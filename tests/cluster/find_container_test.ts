import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findContainer, parseContainerName } from "../../src/cluster/find_container.ts";
import { Failure } from "../../src/platform/failure.ts";
import { FakeApi } from "./fake_api.ts";

const signal = new AbortController().signal;
const containers = [{ name: "mesh" }, { name: "api" }];
const owner = { "app.kubernetes.io/managed-by": "hawser" };

function cluster(...pods: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> }[]) {
  const api = new FakeApi();
  const template = { metadata: { labels: { app: "x" } }, spec: { containers, initContainers: [{ name: "setup" }] } };
  const spec = { selector: { matchLabels: { app: "x" } }, template };
  api.put("/apis/apps/v1/namespaces/dev/deployments", { metadata: { name: "x" }, spec });
  api.put("/api/v1/namespaces/dev/services", {
    metadata: { name: "x", namespace: "dev" },
    spec: { selector: { app: "x" } },
  });
  for (const { labels, ...metadata } of pods) {
    const all = { ...metadata, namespace: "dev", labels: { app: "x", ...labels } };
    api.put("/api/v1/namespaces/dev/pods", { metadata: all, spec: template.spec, status: {} });
  }
  return api;
}

async function chosen(api: FakeApi, text: string): Promise<[string, string | undefined]> {
  const { container, pod } = await findContainer(api, parseContainerName(text), "dev", signal);
  return [container.name, pod?.metadata?.name];
}

describe("findContainer", () => {
  it("chooses the container that kubectl would", async () => {
    assertEquals(await chosen(cluster({ name: "x-1" }), "deploy/x"), ["mesh", "x-1"]);
    const annotations = { "kubectl.kubernetes.io/default-container": "api" };
    assertEquals(await chosen(cluster({ name: "x-1", annotations }), "pod/x-1"), ["api", "x-1"]);
    const gone = { "kubectl.kubernetes.io/default-container": "gone" };
    assertEquals(await chosen(cluster({ name: "x-1", annotations: gone }), "deploy/x"), ["mesh", "x-1"]);
  });

  it("takes the one that is named, init containers included", async () => {
    assertEquals(await chosen(cluster({ name: "x-1" }), "deploy/x:api"), ["api", "x-1"]);
    assertEquals(await chosen(cluster({ name: "x-1" }), "deploy/x:setup"), ["setup", "x-1"]);
  });

  it("looks at the template where there is no pod", async () => {
    assertEquals(await chosen(cluster(), "deploy/x:api"), ["api", undefined]);
  });

  it("never takes hawser's own pod for one of the service", async () => {
    const api = cluster({ name: "agent", labels: owner });
    assertEquals(await chosen(api, "deploy/x"), ["mesh", undefined]);
    const { message } = await assertRejects(() => chosen(api, "svc/x"), Failure);
    assertStringIncludes(message, 'service "x" in namespace "dev" has no pods at present');
  });

  it("lists the containers there are where there is none of that name", async () => {
    const { message } = await assertRejects(() => chosen(cluster({ name: "x-1" }), "deploy/x:apy"), Failure);
    assertEquals(
      message,
      'deployment "x" in namespace "dev" has no container "apy". Did you mean "api"? It has mesh, api, setup',
    );
  });

  it("refuses what is no container's name", () => {
    assertThrows(() => parseContainerName("deploy/x:"), TypeError, '"" in "deploy/x:" is no container');
    assertThrows(() => parseContainerName("deploy/x:A"), TypeError, "no container");
    assertThrows(() => parseContainerName("deplooy/x:a"), TypeError, "deploy");
  });
});
