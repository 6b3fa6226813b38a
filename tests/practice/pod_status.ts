import { node } from "./node.ts";
import type { PodObject } from "./pod_object.ts";
import type { PodState } from "./pod_state.ts";

/** What is known of a pod beside its state. */
export interface PodFacts {
  readonly ips: readonly string[];
  readonly restarts: number;
  /** Why it could not start, or was not given a node. */
  readonly why: string;
  /** How its container ended last. */
  readonly exitCode?: number | undefined;
  /** Milliseconds until the next start. */
  readonly backOff?: number | undefined;
  /** Kubernetes' word for what it waits for, where that is not what the state says. */
  readonly reason?: string | undefined;
}

/** The status that the kubelet would report for a pod in a state, in its words. */
export function podStatus(
  pod: PodObject,
  state: PodState,
  facts: PodFacts,
): Record<string, unknown> {
  const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const names = pod.spec.containers.map((container) => container.name);
  if (state === "pending") {
    const message = facts.why ||
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
    state: runs ? { running: { startedAt: now } } : { waiting: waiting(state, container, full, facts) },
    lastState: state === "crash-loop" || facts.exitCode !== undefined ? { terminated: terminated(facts, now) } : {},
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

/** The status of a pod that has ended for good. */
export function endedStatus(pod: PodObject, phase: "Succeeded" | "Failed", facts: PodFacts): Record<string, unknown> {
  const status = podStatus(pod, "not-ready", facts);
  const now = status.startTime;
  const containerStatuses = pod.spec.containers.map(({ name, image }) => {
    const state = { terminated: terminated(facts, String(now)) };
    return {
      name,
      image,
      imageID: image,
      ready: false,
      started: false,
      restartCount: facts.restarts,
      state,
      lastState: {},
    };
  });
  const why = facts.reason ? { reason: facts.reason, message: facts.why } : {};
  return { ...status, ...why, phase, containerStatuses };
}

function terminated({ exitCode = 1, why }: PodFacts, now: string) {
  const reason = exitCode === 0 ? "Completed" : "Error";
  return { exitCode, reason, message: why || undefined, startedAt: now, finishedAt: now };
}

function waiting(state: PodState, container: { name: string; image: string }, pod: string, facts: PodFacts) {
  switch (state) {
    case "creating":
      return { reason: facts.reason ?? "ContainerCreating", message: facts.why || undefined };
    case "crash-loop": {
      const seconds = Math.round((facts.backOff ?? 10_000) / 1000);
      const back = `back-off ${seconds >= 60 ? `${Math.floor(seconds / 60)}m` : ""}${seconds % 60}s`;
      return {
        reason: "CrashLoopBackOff",
        message: `${back} restarting failed container=${container.name} pod=${pod}`,
      };
    }
    case "image-pull": {
      const pull = pullFailure(container.image);
      if (facts.reason === "ErrImagePull") return { reason: facts.reason, message: pull };
      const message = `Back-off pulling image "${container.image}": ErrImagePull: ${pull}`;
      return { reason: "ImagePullBackOff", message };
    }
    default:
      throw new RangeError(`Unknown state "${state}" of pod "${pod}"`);
  }
}

/** What containerd says of an image whose registry does not know it. */
export function pullFailure(image: string): string {
  const named = image.includes("/") ? image : `docker.io/library/${image}`;
  const reference = /:[^/]+$/.test(named) ? named : `${named}:latest`;
  return `failed to pull and unpack image "${reference}": failed to resolve reference "${reference}": ${reference}: not found`;
}
