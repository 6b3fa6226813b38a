import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import type { V1Pod } from "@kubernetes/client-node";
import { byActivity } from "../../src/cluster/pod_activity.ts";

interface Traits {
  readonly node?: string;
  readonly phase?: string;
  readonly leaving?: boolean;
  readonly readySince?: number;
  readonly restarts?: number;
  readonly created?: number;
}

function pod(
  name: string,
  { node = "n", phase = "Running", leaving, readySince, restarts = 0, created = 0 }: Traits,
): V1Pod {
  const container = { name: "main", image: "", imageID: "", ready: true, restartCount: restarts };
  return {
    metadata: { name, creationTimestamp: new Date(created), deletionTimestamp: leaving ? new Date(0) : undefined },
    spec: { containers: [], nodeName: node },
    status: {
      phase,
      containerStatuses: [container],
      conditions: readySince === undefined
        ? []
        : [{ type: "Ready", status: "True", lastTransitionTime: new Date(readySince) }],
    },
  };
}

describe("byActivity", () => {
  it("orders by one trait after the other", () => {
    const best = { readySince: 1, created: 1 };
    const pods = [
      pod("best", best),
      pod("younger", { ...best, created: 2 }),
      pod("restarted", { ...best, restarts: 3 }),
      pod("ready later", { ...best, readySince: 2 }),
      pod("not ready", { created: 1 }),
      pod("leaving", { ...best, leaving: true }),
      pod("unknown", { ...best, phase: "Unknown" }),
      pod("pending", { ...best, phase: "Pending" }),
      pod("ended", { ...best, phase: "Succeeded" }),
      pod("on no node", { ...best, node: "" }),
    ];
    const names = (list: readonly V1Pod[]) => list.toSorted(byActivity).map(({ metadata }) => metadata?.name);
    assertEquals(names(pods.toReversed()), pods.map(({ metadata }) => metadata?.name));
  });

  it("reads times as the wire has them", () => {
    const wire = (name: string, time: string): V1Pod =>
      JSON.parse(JSON.stringify(pod(name, { created: Date.parse(time) })));
    const pods = [wire("younger", "2026-01-02T00:00:00Z"), wire("older", "2026-01-01T00:00:00Z")];
    assertEquals(pods.toSorted(byActivity).map(({ metadata }) => metadata?.name), ["older", "younger"]);
  });
});
