import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import type { V1Pod } from "@kubernetes/client-node";
import { podReason } from "../../src/cluster/pod_reason.ts";
import { toPod } from "../../src/cluster/pod_model.ts";

type Status = NonNullable<V1Pod["status"]>;
type Container = NonNullable<Status["containerStatuses"]>[number];

const container = (state: Container["state"], extra: Partial<Container> = {}): Container => ({
  name: "main",
  image: "i",
  imageID: "",
  ready: false,
  restartCount: 0,
  state,
  ...extra,
});
const running = { running: {} };
const unready = {
  type: "Ready",
  status: "False",
  reason: "ContainersNotReady",
  message: "containers with unready status: [main]",
};

function reason(status: Status, pod: Partial<V1Pod> = {}): string {
  return podReason({ status: { phase: "Running", conditions: [unready], ...status }, ...pod });
}

describe("podReason", () => {
  it("is empty for a ready pod", () => {
    assertEquals(reason({ conditions: [{ type: "Ready", status: "True" }] }), "");
  });

  it("tells a crash loop with its back-off and the last exit", () => {
    const crashed = container(
      {
        waiting: {
          reason: "CrashLoopBackOff",
          message: "back-off 40s restarting failed container=main pod=x_dev(5d0-2)",
        },
      },
      { lastState: { terminated: { exitCode: 3, reason: "Error" } } },
    );
    assertEquals(
      reason({ containerStatuses: [crashed] }),
      "CrashLoopBackOff: back-off 40s restarting container=main (last exit: exit code 3)",
    );
  });

  it("tells that memory ran out", () => {
    const killed = container({ waiting: { reason: "CrashLoopBackOff" } }, {
      lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
    });
    assertEquals(reason({ containerStatuses: [killed] }), "CrashLoopBackOff (last exit: OOMKilled)");
    const dead = container({ terminated: { exitCode: 137, reason: "OOMKilled" } });
    assertEquals(reason({ containerStatuses: [dead] }), 'OOMKilled: container "main" ended with OOMKilled');
  });

  it("tells an image that cannot be pulled, on one line and not without end", () => {
    const message = `Back-off pulling image\n  "nginx:nope": ${"x".repeat(500)}`;
    const text = reason({
      phase: "Pending",
      containerStatuses: [container({ waiting: { reason: "ImagePullBackOff", message } })],
    });
    assert(text.startsWith('ImagePullBackOff: Back-off pulling image "nginx:nope": xxx'), text);
    assert(text.length <= 301, `${text.length} characters`);
  });

  it("gives the scheduler's words", () => {
    const message = "0/1 nodes are available: 1 Insufficient memory.";
    const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }];
    assertEquals(reason({ phase: "Pending", conditions }), `Unschedulable: ${message}`);
  });

  it("names the worst of several containers", () => {
    const containerStatuses = [
      container({ waiting: { reason: "ContainerCreating" } }),
      container({ waiting: { reason: "ErrImagePull", message: "not found" } }, { name: "side" }),
    ];
    assertEquals(reason({ containerStatuses }), "ErrImagePull: not found");
    assertEquals(reason({ containerStatuses: containerStatuses.slice(0, 1) }), "ContainerCreating");
  });

  it("tells which init container holds the pod up", () => {
    const initContainerStatuses = [
      container({ terminated: { exitCode: 0 } }, { name: "first" }),
      container(running, { name: "migrate" }),
    ];
    const containerStatuses = [container({ waiting: { reason: "PodInitializing" } })];
    assertEquals(
      reason({ phase: "Pending", initContainerStatuses, containerStatuses }),
      'Init:Running: init container "migrate" has not finished',
    );
    const crashed = [container({ waiting: { reason: "CrashLoopBackOff" } }, { name: "migrate" })];
    assertEquals(
      reason({ phase: "Pending", initContainerStatuses: crashed, containerStatuses }),
      "Init:CrashLoopBackOff",
    );
  });

  it("does not take a running sidecar for an unfinished init container", () => {
    const spec = { containers: [], initContainers: [{ name: "proxy", restartPolicy: "Always" }] };
    const initContainerStatuses = [container(running, { name: "proxy", started: true, ready: true })];
    assertEquals(
      reason({ initContainerStatuses, containerStatuses: [container(running, { started: true })] }, { spec }),
      'NotReady: the readiness probe of "main" does not succeed',
    );
  });

  it("tells startup probes, readiness probes and gates apart", () => {
    assertEquals(
      reason({ containerStatuses: [container(running, { started: false })] }),
      'NotReady: the startup probe of "main" has not succeeded yet',
    );
    assertEquals(
      reason({ containerStatuses: [container(running, { started: true })] }),
      'NotReady: the readiness probe of "main" does not succeed',
    );
    const gate = {
      type: "Ready",
      status: "False",
      message: 'the status of pod readiness gate "x/y" is not "True", but False',
    };
    assertEquals(
      reason({ conditions: [gate], containerStatuses: [container(running, { started: true, ready: true })] }),
      `NotReady: ${gate.message}`,
    );
  });

  it("tells pods that have ended, were evicted or are on their way out", () => {
    assertEquals(reason({ phase: "Succeeded" }), "Completed");
    assertEquals(
      reason({ phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory." }),
      "Evicted: The node was low on resource: memory.",
    );
    const failed = container({ terminated: { exitCode: 1, reason: "Error" } });
    assertEquals(
      reason({ phase: "Failed", containerStatuses: [failed] }),
      'Error: container "main" ended with exit code 1',
    );
    assertEquals(reason({}, { metadata: { deletionTimestamp: new Date(0) } }), "Terminating");
  });

  it("has a word for a pod of which nothing is known", () => {
    assertEquals(podReason({}), "Unknown");
    assertEquals(podReason({ status: { phase: "Pending" } }), "Pending");
  });
});

describe("toPod", () => {
  it("takes the ports of containers and of sidecars, not of other init containers", () => {
    const pod = toPod({
      metadata: { namespace: "dev", name: "web-0", uid: "u" },
      spec: {
        containers: [{ name: "main", ports: [{ name: "web", containerPort: 8080 }] }],
        initContainers: [
          { name: "migrate", ports: [{ name: "web", containerPort: 1 }] },
          { name: "proxy", restartPolicy: "Always", ports: [{ name: "dns", containerPort: 53, protocol: "UDP" }] },
        ],
      },
      status: { phase: "Running", podIP: "10.244.0.5", podIPs: [{ ip: "10.244.0.5" }, { ip: "FD00::5" }] },
    });
    assertEquals(pod.ports, [{ name: "web", port: 8080, protocol: "TCP" }, { name: "dns", port: 53, protocol: "UDP" }]);
    assertEquals(pod.ips, ["10.244.0.5", "fd00::5"]);
    assertEquals([pod.ready, pod.terminating, pod.phase], [false, false, "Running"]);
  });
});
