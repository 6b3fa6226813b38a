import type { EventRecorder } from "./event_recorder.ts";
import type { KubeObject, Manifest, ObjectMeta } from "./kube_object.ts";
import type { PodObject, PodSpec } from "./pod_object.ts";
import { podReady } from "./pod_ready.ts";
import type { Registry } from "./registry.ts";
import { resourceTable } from "./resource_table.ts";
import type { Resource } from "./resource_table.ts";
import { StatusError } from "./status_error.ts";
import type { Store } from "./store.ts";

interface Workload extends KubeObject {
  readonly spec: {
    readonly replicas: number;
    readonly serviceName?: string;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly strategy?: { readonly type?: string };
    readonly template: { readonly metadata: Partial<ObjectMeta>; readonly spec: PodSpec };
  };
  readonly status?: { readonly readyReplicas?: number; readonly conditions?: readonly ReplicaFailure[] };
}

/** The condition of a ReplicaSet that cannot have its pods, and of the Deployment that owns it. */
interface ReplicaFailure {
  readonly type: "ReplicaFailure";
  readonly status: "True";
  readonly reason: "FailedCreate";
  readonly message: string;
  readonly lastTransitionTime: string;
}

const pods = resourceTable.get("pods")!;
const deployments = resourceTable.get("deployments.apps")!;
const replicaSets = resourceTable.get("replicasets.apps")!;
const statefulSets = resourceTable.get("statefulsets.apps")!;
const daemonSets = resourceTable.get("daemonsets.apps")!;

/** Keeps as many pods as Deployments, ReplicaSets, StatefulSets and DaemonSets ask for. A rollout brings all new pods up, then takes the old ones down. */
export class WorkloadController {
  readonly #store: Store;
  readonly #registry: Registry;
  readonly #events: EventRecorder;
  /** Why workloads, by their uid, cannot have their pods. */
  readonly #failures = new Map<string, ReplicaFailure>();

  constructor(store: Store, registry: Registry, events: EventRecorder) {
    this.#store = store;
    this.#registry = registry;
    this.#events = events;
  }

  reconcile(namespace: string): void {
    // What is being deleted waits for its pods to go, and makes no more of them.
    const all = (resource: string) =>
      this.#store.list<Workload>(resource, namespace).filter(({ metadata }) => !metadata.deletionTimestamp);
    for (const deployment of all("deployments.apps")) this.#deployment(deployment);
    for (const set of all("replicasets.apps")) this.#replicaSet(set);
    for (const set of all("statefulsets.apps")) this.#statefulSet(set);
    for (const set of all("daemonsets.apps")) this.#daemonSet(set);
  }

  #deployment(deployment: Workload): void {
    const { namespace = "", name } = deployment.metadata;
    const hash = hashOf(deployment.spec.template);
    const { replicas, template, selector } = deployment.spec;
    const sets = this.#owned<Workload>("replicasets.apps", deployment);
    const current = sets.find((set) => set.metadata.name === `${name}-${hash}`);
    const others = sets.filter((set) => set !== current);
    const recreate = deployment.spec.strategy?.type === "Recreate";
    if (!current) {
      const labels = { ...template.metadata.labels, "pod-template-hash": hash };
      this.#registry.create(replicaSets, namespace, {
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        metadata: { name: `${name}-${hash}`, namespace, labels, ownerReferences: [ownerOf(deployment)] },
        spec: {
          replicas,
          selector: { matchLabels: { ...selector.matchLabels, "pod-template-hash": hash } },
          template: { ...template, metadata: { ...template.metadata, labels } },
        },
      });
    } else if (current.spec.replicas !== replicas) this.#scale(current, replicas);
    const up = (current?.status?.readyReplicas ?? 0) >= replicas;
    for (const set of others) if ((up || recreate) && set.spec.replicas > 0) this.#scale(set, 0);
    const all = sets.flatMap((set) => this.#owned<PodObject>("pods", set));
    const updated = current ? this.#owned<PodObject>("pods", current).length : 0;
    const conditions = sets.flatMap((set) => set.status?.conditions ?? []);
    this.#status(deployments, deployment, all, {
      updatedReplicas: updated,
      ...(conditions.length ? { conditions } : {}),
    });
  }

  #replicaSet(set: Workload): void {
    const living = this.#owned<PodObject>("pods", set).filter(isLiving);
    const create = () => this.#createPod(set, { generateName: `${set.metadata.name}-` }, {});
    let missing = Math.max(0, set.spec.replicas - living.length);
    while (missing > 0 && create()) missing--;
    if (missing === 0) this.#failures.delete(set.metadata.uid);
    const surplus = Math.max(0, living.length - set.spec.replicas);
    const worstFirst = living.toSorted((a, b) => Number(podReady(a)) - Number(podReady(b)));
    for (const pod of worstFirst.slice(0, surplus)) this.#deletePod(pod);
    const failure = this.#failures.get(set.metadata.uid);
    const conditions = failure ? { conditions: [failure] } : {};
    this.#status(replicaSets, set, this.#owned<PodObject>("pods", set), conditions);
  }

  #statefulSet(set: Workload): void {
    const owned = this.#owned<PodObject>("pods", set);
    const hash = `${set.metadata.name}-${hashOf(set.spec.template)}`;
    for (let i = 0; i < set.spec.replicas; i++) {
      const name = `${set.metadata.name}-${i}`;
      const pod = owned.find((pod) => pod.metadata.name === name);
      const labels = {
        "apps.kubernetes.io/pod-index": String(i),
        "controller-revision-hash": hash,
        "statefulset.kubernetes.io/pod-name": name,
      };
      if (!pod) this.#createPod(set, { name, labels }, { hostname: name, subdomain: set.spec.serviceName });
      else if (pod.metadata.labels?.["controller-revision-hash"] !== hash) this.#deletePod(pod);
    }
    for (const pod of owned) {
      if (Number(pod.metadata.labels?.["apps.kubernetes.io/pod-index"]) >= set.spec.replicas) this.#deletePod(pod);
    }
    this.#status(statefulSets, set, owned, { updatedReplicas: owned.length });
  }

  #daemonSet(set: Workload): void {
    const owned = this.#owned<PodObject>("pods", set);
    const nodes = this.#store.list("nodes");
    if (!owned.some(isLiving) && nodes.length > 0) this.#createPod(set, { generateName: `${set.metadata.name}-` }, {});
    const ready = owned.filter(podReady).length;
    const numbers = { desiredNumberScheduled: nodes.length, currentNumberScheduled: owned.length, numberReady: ready };
    this.#writeStatus(daemonSets, set, numbers);
  }

  /** Whether the pod was let in. */
  #createPod(owner: Workload, metadata: Partial<ObjectMeta>, spec: Partial<PodSpec>): boolean {
    const { namespace = "" } = owner.metadata;
    const template = owner.spec.template;
    try {
      this.#registry.create(pods, namespace, {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
          ...metadata,
          namespace,
          labels: { ...template.metadata.labels, ...metadata.labels },
          annotations: template.metadata.annotations,
          ownerReferences: [ownerOf(owner)],
        },
        spec: { ...template.spec, ...spec },
      });
      return true;
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      this.#failed(owner, error.message);
      return false;
    }
  }

  /** Says once that pods are refused: each try has another name for its pod. */
  #failed(owner: Workload, message: string): void {
    const { kind, metadata: { uid, name } } = owner;
    const withoutName = (text: string) => text.replace(/^pods "[^"]*"/, "pods");
    const before = this.#failures.get(uid);
    if (before && withoutName(before.message) === withoutName(message)) return;
    const lastTransitionTime = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    const failure = { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message } as const;
    this.#failures.set(uid, { ...failure, lastTransitionTime });
    const text = kind === "StatefulSet"
      ? `create Pod in StatefulSet ${name} failed error: ${message}`
      : `Error creating: ${message}`;
    this.#events.warn(owner, `${kind.toLowerCase()}-controller`, "FailedCreate", text);
  }

  #deletePod(pod: PodObject): void {
    if (!pod.metadata.deletionTimestamp) this.#registry.delete(pods, pod.metadata.namespace ?? "", pod.metadata.name);
  }

  #scale(set: Workload, replicas: number): void {
    const manifest: Manifest = { ...set, spec: { ...set.spec, replicas } };
    this.#registry.update(replicaSets, set.metadata.namespace ?? "", set.metadata.name, manifest);
  }

  #status(
    resource: Resource,
    workload: Workload,
    pods: readonly PodObject[],
    more: Readonly<Record<string, unknown>>,
  ): void {
    const ready = pods.filter((pod) => isLiving(pod) && podReady(pod)).length;
    this.#writeStatus(resource, workload, {
      replicas: pods.filter(isLiving).length,
      readyReplicas: ready,
      availableReplicas: ready,
      ...more,
    });
  }

  #writeStatus(resource: Resource, workload: Workload, numbers: Readonly<Record<string, unknown>>): void {
    const status = { observedGeneration: workload.metadata.generation, ...numbers };
    if (JSON.stringify(status) === JSON.stringify(workload.status)) return;
    const { namespace = "", name } = workload.metadata;
    // Written without resourceVersion: what else was changed meanwhile stays.
    const manifest: Manifest = { apiVersion: workload.apiVersion, kind: workload.kind, metadata: {}, status };
    this.#registry.update(resource, namespace, name, manifest, { subresource: "status" });
  }

  #owned<T extends KubeObject>(resource: string, owner: KubeObject): T[] {
    const all = this.#store.list<T>(resource, owner.metadata.namespace);
    return all.filter((object) => object.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid));
  }
}

function isLiving(pod: PodObject): boolean {
  return !pod.metadata.deletionTimestamp && pod.status.phase !== "Failed" && pod.status.phase !== "Succeeded";
}

function ownerOf(owner: KubeObject) {
  const { apiVersion, kind, metadata: { name, uid } } = owner;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** Ten characters that stand for a pod template (FNV-1a). */
function hashOf(template: unknown): string {
  let hash = 0x811c9dc5;
  for (const char of JSON.stringify(template)) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return (hash >>> 0).toString(16).padStart(10, "6");
}
