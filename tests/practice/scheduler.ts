import type { KubeObject } from "./kube_object.ts";
import type { PodObject } from "./pod_object.ts";
import { quantity } from "./quantity.ts";
import { matchesLabels } from "./selector.ts";
import type { Store } from "./store.ts";

interface NodeObject extends KubeObject {
  readonly status?: { readonly allocatable?: Readonly<Record<string, string>> };
}

/** Chooses a node for a pod: the first that its `nodeSelector` matches and that has room for its requests. Else says why there is none. */
export function schedule(pod: PodObject, store: Store): { readonly node: string } | { readonly why: string } {
  const nodes = store.list<NodeObject>("nodes");
  const selector = (pod.spec.nodeSelector ?? {}) as Readonly<Record<string, string>>; // so it is in a PodSpec
  const placed = store.list<PodObject>("pods").filter(({ spec, status }) => {
    return spec.nodeName && status.phase !== "Succeeded" && status.phase !== "Failed";
  });
  const reasons = new Map<string, number>();
  for (const node of nodes) {
    const there = placed.filter(({ spec }) => spec.nodeName === node.metadata.name);
    const short = ["cpu", "memory"].find((resource) => {
      const taken = there.reduce((sum, other) => sum + requested(other, resource), requested(pod, resource));
      return taken > quantity(node.status?.allocatable?.[resource]);
    });
    const why = !matchesLabels(selector, node.metadata.labels)
      ? "node(s) didn't match Pod's node affinity/selector"
      : short && `Insufficient ${short}`;
    if (!why) return { node: node.metadata.name };
    reasons.set(why, (reasons.get(why) ?? 0) + 1);
  }
  const all = `0/${nodes.length} nodes are available:`;
  const list = [...reasons].map(([why, count]) => `${count} ${why}`).join(", ");
  const victims = `preemption: ${all} ${nodes.length} Preemption is not helpful for scheduling.`;
  return { why: nodes.length === 0 ? "no nodes available to schedule pods" : `${all} ${list}. ${victims}` };
}

function requested(pod: PodObject, resource: string): number {
  return pod.spec.containers.reduce((sum, { resources }) => sum + quantity(resources?.requests?.[resource]), 0);
}
