import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ApiError } from "../../src/cluster/api.ts";
import { type External, parseExternal } from "../../src/inbound/external.ts";
import type { Inbound, InboundRequest } from "../../src/inbound/inbound.ts";
import { openInbound } from "../../src/inbound/open_inbound.ts";
import { reachPreview } from "../../src/inbound/reach_preview.ts";
import type { ServiceObject } from "../practice/service_object.ts";
import { fastClock } from "./fast_clock.ts";
import { exchangeOf, objectsOf, openScene, type Scene } from "./scene.ts";

const never = new AbortController().signal;

function previewOf(scene: Scene, external: External): InboundRequest {
  const variant = { kind: "external", external } as const;
  return exchangeOf("alice@one", scene.echoPort, { kind: "preview", service: "fresh", fallback: "error", variant });
}

/** Opens a preview, runs the test and takes the preview away, after which nothing may be left. */
async function withPreview(
  external: External,
  test: (scene: Scene, preview: Inbound, api: Awaited<ReturnType<Scene["laptop"]>>["api"]) => Promise<void>,
): Promise<void> {
  await using scene = await openScene();
  const before = objectsOf(scene.practice);
  const { deps, api } = await scene.laptop();
  const preview = await openInbound(previewOf(scene, external), deps, never);
  try {
    await test(scene, preview, api);
  } finally {
    await preview.close();
  }
  await scene.practice.settled();
  assertEquals(objectsOf(scene.practice), before);
}

describe("a preview that is reached from outside", () => {
  it("by a port of the nodes", async () => {
    await withPreview({ type: "NodePort" }, async ({ practice }, { plan }, api) => {
      const { spec } = practice.get<ServiceObject>("services", "dev", "fresh")!;
      assertEquals(spec.type, "NodePort");
      const [{ status }] = practice.list("nodes") as unknown as [{ status: { addresses: [{ address: string }] } }]; // a Node's
      const address = `${status.addresses[0].address}:${spec.ports?.[0]?.nodePort}`;
      assertEquals(await reachPreview(plan, { api, clock: fastClock(100) }, never), {
        addresses: [address],
        notes: [],
      });
    });
  });

  it("by a port of nodes that the user may not list", async () => {
    await withPreview({ type: "NodePort" }, async (_scene, { plan }, api) => {
      const request = "GET /api/v1/nodes";
      const blind = {
        ...api,
        get: api.get.bind(api),
        list: () => Promise.reject(new ApiError(403, "Forbidden", "no", request)),
      };
      const reach = await reachPreview(plan, { api: blind, clock: fastClock(100) }, never);
      assertEquals(reach?.addresses, []);
      assertStringIncludes(reach?.notes[0] ?? "", "of any node, whose addresses you may not list");
    });
  });

  it("by a load balancer, once it has an address; where none comes, that is said", async () => {
    await withPreview({ type: "LoadBalancer" }, async (_scene, { plan }, api) => {
      const deps = { api, clock: fastClock(1000) };
      assertStringIncludes((await reachPreview(plan, deps, never))?.notes[0] ?? "", "no address within 90 s");
      const ingress = [{ ip: "203.0.113.7" }, { hostname: "lb.example" }];
      const body = { status: { loadBalancer: { ingress } } };
      await api.patch("/api/v1/namespaces/dev/services/fresh/status", "merge", body, {}, never);
      assertEquals((await reachPreview(plan, deps, never))?.addresses, ["203.0.113.7:80", "lb.example:80"]);
    });
  });

  it("by an Ingress of its own", async () => {
    const external = { type: "Ingress", host: "orders.example.com", ingressClass: "public" } as const;
    await withPreview(external, async ({ practice }, { plan }, api) => {
      assertEquals(practice.get("ingresses.networking.k8s.io", "dev", "fresh-hawser")?.spec, {
        ingressClassName: "public",
        rules: [{
          host: "orders.example.com",
          http: {
            paths: [{
              path: "/",
              pathType: "Prefix",
              backend: { service: { name: "fresh", port: { number: 80 } } },
            }],
          },
        }],
      });
      const deps = { api, clock: fastClock(1000) };
      const reach = await reachPreview(plan, deps, never);
      assertEquals(reach?.addresses, ["http://orders.example.com/"]);
      assertStringIncludes(reach?.notes[0] ?? "", "no Ingress controller has taken it within 30 s");
      const body = { status: { loadBalancer: { ingress: [{ ip: "203.0.113.7" }] } } };
      const path = "/apis/networking.k8s.io/v1/namespaces/dev/ingresses/fresh-hawser/status";
      await api.patch(path, "merge", body, {}, never);
      assertStringIncludes((await reachPreview(plan, deps, never))?.notes[0] ?? "", "has to resolve to 203.0.113.7");
    });
  });

  it("waits no longer once it is interrupted", async () => {
    await withPreview({ type: "LoadBalancer" }, async (_scene, { plan }, api) => {
      const interrupt = AbortSignal.abort(new Error("Ctrl-C"));
      await assertRejects(() => reachPreview(plan, { api, clock: fastClock(1) }, interrupt), Error, "Ctrl-C");
    });
  });
});

describe("parseExternal", () => {
  it("takes the three ways in", () => {
    assertEquals(parseExternal("nodeport"), { type: "NodePort" });
    assertEquals(parseExternal("loadbalancer"), { type: "LoadBalancer" });
    assertEquals(parseExternal("ingress=a.example"), { type: "Ingress", host: "a.example", ingressClass: undefined });
    assertEquals(parseExternal("ingress=a.example@nginx"), {
      type: "Ingress",
      host: "a.example",
      ingressClass: "nginx",
    });
  });

  it("refuses all else, quoting it", () => {
    for (const text of ["", "NodePort", "ingress", "ingress=", "ingress=A b", "ingress=http://x", "ingress=x@"]) {
      assertStringIncludes(assertThrows(() => parseExternal(text), TypeError).message, JSON.stringify(text));
    }
  });
});
