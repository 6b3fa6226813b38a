import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { V1Pod } from "@kubernetes/client-node";
import { toPod } from "../../src/cluster/pod_model.ts";
import type { Api } from "../../src/cluster/api.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import type { PodPort } from "../../src/tunnel/pod_port.ts";
import { DialError, type DialOptions } from "../../src/tunnel/dialer.ts";
import { containerPort, WorkloadDialer } from "../../src/tunnel/workload_dialer.ts";
import { FakeClock } from "../fake_clock.ts";

const options = { signal: new AbortController().signal };

function pod(name: string, changes: { ready?: boolean; phase?: string; deleted?: boolean } = {}): V1Pod {
  const { ready = true, phase = "Running", deleted = false } = changes;
  return {
    metadata: { name, namespace: "dev", uid: name, ...deleted && { deletionTimestamp: new Date() } },
    spec: { containers: [{ name: "c", ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }] }] },
    status: { phase, conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

/** A dialer of `deploy/api`, the pods that the API knows, the candidates of each dial, and pods that cannot be dialed. */
function setUp(...first: V1Pod[]) {
  const state = { pods: first, lists: 0, dialed: [] as string[][], broken: new Set<string>() };
  const api = {
    get: () => Promise.resolve({ spec: { selector: { matchLabels: { app: "api" } } } }),
    list() {
      state.lists++;
      return Promise.resolve({ resourceVersion: "1", items: state.pods });
    },
  } as unknown as Api; // all that findWorkload calls
  const stream = {} as Duplex; // handed through, never used
  const dialer = {
    async dialPods(
      candidates: readonly PodPort[],
      _name: string,
      _options: DialOptions,
      more: () => Promise<readonly PodPort[]>,
    ) {
      const dial = (pods: readonly PodPort[]) => {
        state.dialed.push(pods.map(({ pod, port }) => `${pod.name}:${port}`));
        return pods.some(({ pod }) => !state.broken.has(pod.name));
      };
      if (!dial(candidates)) dial(await more());
      return stream;
    },
  };
  const clock = new FakeClock();
  return {
    state,
    clock,
    dialer: new WorkloadDialer({ kind: "deployment", name: "api" }, "dev", { api, dialer, clock }),
  };
}

describe("WorkloadDialer", () => {
  it("tries ready pods before the others, and never those that end or do not run", async () => {
    const { dialer, state } = setUp(
      pod("slow", { ready: false }),
      pod("old", { deleted: true }),
      pod("new", { phase: "Pending" }),
      pod("good"),
    );
    await dialer.dial("http", options);
    assertEquals(state.dialed, [["good:8080", "slow:8080"]]);
  });

  it("looks once for many connections, and again after a while", async () => {
    const { dialer, state, clock } = setUp(pod("a"));
    await Promise.all([dialer.dial(80, options), dialer.dial(80, options)]);
    assertEquals(state.lists, 1);
    await clock.advance(2_001);
    await dialer.dial(80, options);
    assertEquals(state.lists, 2);
  });

  it("looks anew when what it knew is gone", async () => {
    const { dialer, state } = setUp(pod("a"));
    await dialer.dial(80, options);
    state.broken.add("a");
    state.pods = [pod("b")];
    await dialer.dial(80, options);
    assertEquals(state.dialed, [["a:80"], ["a:80"], ["b:80"]]);
  });

  it("looks anew when no pod that it knew could be dialed at all", async () => {
    const { dialer, state } = setUp(pod("a", { deleted: true }));
    await assertRejects(() => dialer.dial(80, options), DialError);
    state.pods = [pod("b")];
    await dialer.dial(80, options);
    assertEquals(state.dialed, [["b:80"]]);
  });

  it("says which pods there are when none runs", async () => {
    const { dialer } = setUp(pod("a", { deleted: true }));
    const error = await assertRejects(() => dialer.dial(80, options), DialError);
    assertEquals(error.kind, "not-ready");
    assertStringIncludes(error.message, 'No pod of deployment "api" in namespace "dev" runs: a (terminating)');
  });
});

describe("containerPort", () => {
  it("finds a port by name and lists the names where there is no such", () => {
    assertEquals(containerPort(toPod(pod("a")), "http"), 8080);
    assertEquals(containerPort(toPod(pod("a")), 81), 81);
    assertStringIncludes(
      assertThrows(() => containerPort(toPod(pod("a")), "grpc"), DialError).message,
      'no port named "grpc"; its ports: http',
    );
  });
});
