import type { V1Service } from "@kubernetes/client-node";
import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { diversionOf, divertingPatch, readUndo, restoringPatch, undoAnnotation } from "../../src/inbound/undo.ts";
import { Failure } from "../../src/platform/failure.ts";
import { patch } from "../practice/patch.ts";

function serviceOf(selector: Record<string, string> | undefined, annotations?: Record<string, string>): V1Service {
  return {
    metadata: { namespace: "dev", name: "orders", resourceVersion: "7", ...annotations && { annotations } },
    spec: { selector, ports: [{ port: 80 }] },
  };
}

const undo = { selector: { app: "orders", tier: "back" }, since: "2026-01-01T00:00:00Z", by: "alice@laptop" };

/** The Service as the API server would keep it; the version is its business. */
function patched(service: V1Service, body: unknown): V1Service {
  const next = patch({ ...service }, "application/merge-patch+json", body) as V1Service; // a patched Service is one
  return { ...next, metadata: { ...next.metadata, resourceVersion: "7" } };
}

const diverted = (service = serviceOf(undo.selector)) => patched(service, divertingPatch(service, undo));

describe("diverting a Service", () => {
  it("selects the agent alone and keeps what it selected", () => {
    assertEquals(diverted().spec?.selector, { "hawser.dev/agent": "orders" });
    assertEquals(readUndo(diverted()), undo);
    assertEquals(diversionOf(diverted()), "diverted");
    assertEquals(divertingPatch(serviceOf(undo.selector), undo).metadata.resourceVersion, "7");
  });

  it("is undone to the same object, whatever annotations there were", () => {
    for (const service of [serviceOf(undo.selector), serviceOf(undo.selector, { team: "shop" })]) {
      const after = diverted(service);
      assertEquals(patched(after, restoringPatch(after, undefined)), service);
    }
  });

  it("is not undone twice", () => {
    assertEquals(restoringPatch(serviceOf(undo.selector, { team: "shop" }), undefined), undefined);
  });
});

describe("restoring a Service that others have changed", () => {
  it("leaves their selector and takes the annotation away", () => {
    const service = patched(diverted(), { spec: { selector: { "hawser.dev/agent": null, app: "orders-v2" } } });
    const after = patched(service, restoringPatch(service, undefined));
    assertEquals(after, serviceOf({ app: "orders-v2" }));
  });

  it("makes a selector theirs that an apply has merged into ours", () => {
    const service = patched(diverted(), { spec: { selector: { app: "orders" } } });
    assertEquals(diversionOf(service), "mixed");
    assertEquals(patched(service, restoringPatch(service, undefined)).spec?.selector, { app: "orders" });
  });

  it("takes the origin's selector where the annotation was removed or spoilt", () => {
    for (const value of [null, "{", "7", '{"selector":{}}', '{"selector":{"app":1}}']) {
      const service = patched(diverted(), { metadata: { annotations: { [undoAnnotation]: value } } });
      assertEquals(patched(service, restoringPatch(service, undo.selector)).spec?.selector, undo.selector);
      const error = assertThrows(() => restoringPatch(service, undefined), Failure);
      assertEquals(error.message.includes('Service "orders" in namespace "dev"'), true);
    }
  });
});
