import type { V1Pod } from "@kubernetes/client-node";

const phases = ["Running", "Unknown", "Pending"];

/**
 * Orders pods as kubectl chooses among those of a workload, the best first: on a node, running, not on its way out, ready, ready for
 * longest, restarted least, oldest.
 */
export function byActivity(a: V1Pod, b: V1Pod): number {
  const [left, right] = [activity(a), activity(b)];
  for (const [at, value] of left.entries()) {
    const other = right[at] ?? 0;
    if (value !== other) return value - other;
  }
  return 0;
}

/** What counts, in the order in which it counts; lower is better. */
function activity({ metadata, spec, status }: V1Pod): number[] {
  const ready = status?.conditions?.find(({ type, status }) => type === "Ready" && status === "True");
  const phase = phases.indexOf(status?.phase ?? "");
  return [
    spec?.nodeName ? 0 : 1,
    phase === -1 ? phases.length : phase,
    metadata?.deletionTimestamp ? 1 : 0,
    ready ? 0 : 1,
    ready ? time(ready.lastTransitionTime) : 0,
    Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount)),
    time(metadata?.creationTimestamp),
  ];
}

/** Milliseconds since 1970. The client's types say Date where the wire has text; no time counts as now. */
function time(value: Date | string | undefined): number {
  return value === undefined ? Number.MAX_SAFE_INTEGER : new Date(value).getTime();
}
