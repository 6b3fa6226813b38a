import { node } from "./node.ts";
import type { PodObject } from "./pod_object.ts";
import type { PodState } from "./pod_state.ts";

/** The status that the kubelet would report for a pod in a state, in its words. */
export function podStatus(
  pod: PodObject,
  state: PodState,
  facts: { readonly ips: readonly string[]; readonly restarts: number; readonly why: string },
): Record<string, unknown> {
  const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const names = pod.spec.containers.map((container) => container.name);
  if (state === "pending") {
    const message =
      "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption " +
      "victims found for incoming pod.";
    const condition = {
      type: "PodScheduled",
      status: "False",
      reason: "Unschedulable",
      message,
      lastTransitionTime: now,
    };
    return { phase: "Pending", conditions: [condition] };
  }
  const runs = state === "ready" || state === "not-ready";
  const unready = { reason: "ContainersNotReady", message: `containers with unready status: [${names.join(" ")}]` };
  const condition = (type: string, good: boolean) => ({
    type,
    status: good ? "True" : "False",
    ...(good ? {} : unready),
    lastTransitionTime: now,
  });
  const full = `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
  const containerStatuses = pod.spec.containers.map((container) => ({
    name: container.name,
    image: container.image,
    imageID: runs ? container.image : "",
    ready: state === "ready",
    started: runs,
    restartCount: facts.restarts,
    state: runs ? { running: { startedAt: now } } : { waiting: waiting(state, container, full) },
    lastState: state === "crash-loop"
      ? {
        terminated: { exitCode: 1, reason: "Error", message: facts.why || undefined, startedAt: now, finishedAt: now },
      }
      : {},
  }));
  const addresses = facts.ips.map((ip) => ({ ip }));
  return {
    phase: runs || state === "crash-loop" ? "Running" : "Pending",
    hostIP: node.address,
    startTime: now,
    ...(addresses.length ? { podIP: facts.ips[0], podIPs: addresses } : {}),
    conditions: [
      condition("Initialized", true),
      condition("Ready", state === "ready"),
      condition("ContainersReady", state === "ready"),
      condition("PodScheduled", true),
    ],
    containerStatuses,
    qosClass: "BestEffort",
  };
}

function waiting(state: PodState, container: { name: string; image: string }, pod: string) {
  switch (state) {
    case "creating":
      return { reason: "ContainerCreating" };
    case "crash-loop":
      return {
        reason: "CrashLoopBackOff",
        message: `back-off 10s restarting failed container=${container.name} pod=${pod}`,
      };
    case "image-pull":
      return { reason: "ImagePullBackOff", message: `Back-off pulling image "${container.image}"` };
    default:
      throw new RangeError(`Unknown state "${state}" of pod "${pod}"`);
  }
}
