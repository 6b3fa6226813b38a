import type { V1ContainerStatus, V1Pod } from "@kubernetes/client-node";

/** Characters of a message that are worth a person's time; the scheduler's run over several hundred on big clusters. */
const longest = 300;

/**
 * Why a pod does not serve, in Kubernetes' own words and on one line: `CrashLoopBackOff: back-off 40s restarting container=main…`,
 * `Unschedulable: 0/3 nodes are available…`. Empty where it is ready.
 */
export function podReason(pod: V1Pod): string {
  const { metadata, status } = pod;
  if (metadata?.deletionTimestamp) return "Terminating";
  if (status?.phase === "Succeeded") return "Completed";
  const condition = (type: string) => status?.conditions?.find((condition) => condition.type === type);
  if (condition("Ready")?.status === "True") return "";
  const reason = evictedReason(pod) ?? unscheduledReason(condition("PodScheduled")) ?? initReason(pod) ??
    stateReason(status?.containerStatuses ?? []) ?? unreadyReason(pod) ??
    say(status?.phase ?? "Unknown", status?.message);
  return reason.length > longest ? `${reason.slice(0, longest)}…` : reason;
}

/** A reason word and what is known beyond it, with all white space made single spaces. */
function say(reason: string, message: string | undefined): string {
  const words = (message ?? "").replaceAll(/\s+/g, " ").trim();
  return words === "" || words === reason ? reason : `${reason}: ${words}`;
}

/** Evicted, NodeLost, NodeAffinity and the like stand on the pod itself. */
function evictedReason({ status }: V1Pod): string | undefined {
  return status?.reason ? say(status.reason, status.message) : undefined;
}

function unscheduledReason(
  scheduled: { readonly status: string; readonly reason?: string; readonly message?: string } | undefined,
): string | undefined {
  return scheduled?.status === "False" ? say(scheduled.reason ?? "Unschedulable", scheduled.message) : undefined;
}

/** An init container that has not done its work keeps all others waiting; what they say then (`PodInitializing`) is no news. */
function initReason({ spec, status }: V1Pod): string | undefined {
  const statuses = status?.initContainerStatuses ?? [];
  const sidecars = new Set(
    (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always").map(({ name }) => name),
  );
  const blocking = statuses.find(({ name, state, started }) =>
    sidecars.has(name) ? started !== true : state?.terminated?.exitCode !== 0
  );
  if (blocking === undefined) return undefined;
  return `Init:${stateReason([blocking]) ?? say("Running", `init container "${blocking.name}" has not finished`)}`;
}

/** What a container that does not run says; the worst first, for `ContainerCreating` beside a crashing container is no news. */
function stateReason(statuses: readonly V1ContainerStatus[]): string | undefined {
  const reasons = statuses.flatMap((status) => {
    const { name, state, lastState } = status;
    const { waiting, terminated } = state ?? {};
    if (waiting) {
      const before = lastState?.terminated;
      const why = before && before.exitCode !== 0 ? ` (last exit: ${exit(before)})` : "";
      // The kubelet adds pod, namespace and uid, which whoever reads this knows.
      const message = waiting.message?.replace(/ restarting failed (container=\S+) pod=\S+/, " restarting $1");
      return [{ dull: isDull(waiting.reason), text: say(waiting.reason ?? "Waiting", message) + why }];
    }
    if (terminated) {
      const text = say(
        terminated.reason ?? "Terminated",
        terminated.message || `container "${name}" ended with ${exit(terminated)}`,
      );
      return [{ dull: terminated.exitCode === 0, text }];
    }
    return [];
  });
  return (reasons.find(({ dull }) => !dull) ?? reasons[0])?.text;
}

function isDull(reason: string | undefined): boolean {
  return reason === "ContainerCreating" || reason === "PodInitializing";
}

function exit(
  { exitCode, reason, signal }: { readonly exitCode: number; readonly reason?: string; readonly signal?: number },
): string {
  if (reason === "OOMKilled") return "OOMKilled";
  return signal ? `signal ${signal}` : `exit code ${exitCode}`;
}

/** All containers run, and yet the pod is not ready: probes or readiness gates. */
function unreadyReason({ status }: V1Pod): string | undefined {
  const statuses = status?.containerStatuses ?? [];
  const names = (containers: readonly V1ContainerStatus[]) => containers.map(({ name }) => `"${name}"`).join(", ");
  const starting = statuses.filter(({ state, started }) => state?.running && started === false);
  if (starting.length > 0) return `NotReady: the startup probe of ${names(starting)} has not succeeded yet`;
  const unready = statuses.filter(({ state, ready }) => state?.running && !ready);
  if (unready.length > 0) return `NotReady: the readiness probe of ${names(unready)} does not succeed`;
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return ready ? say("NotReady", ready.message) : undefined;
}
