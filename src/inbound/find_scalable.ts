import type {
  V1ObjectMeta,
  V1OwnerReference,
  V1Pod,
  V1ReplicaSet,
  V2HorizontalPodAutoscaler,
} from "@kubernetes/client-node";
import type { Api } from "../cluster/api.ts";
import { Failure } from "../platform/failure.ts";
import { labels } from "./names.ts";
import { paths } from "./paths.ts";
import { describeScalable, type Scalable } from "./scalable.ts";
import { readNote, type ScaledObject } from "./scale_note.ts";
import { unlessGone } from "./unless_gone.ts";

/** A workload whose pods an agent may stand in for. */
export interface FoundScalable extends Scalable {
  /** Those of its pod template, by which others select its pods. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What is looked for. */
export interface FindScalableOptions {
  readonly namespace: string;
  readonly service: string;
  readonly selector: Readonly<Record<string, string>>;
  /** The pods that it selects. */
  readonly pods: readonly V1Pod[];
}

const resources: Readonly<Record<string, Scalable["resource"]>> = {
  Deployment: "deployments",
  StatefulSet: "statefulsets",
};

/** Labels that controllers give to single pods or revisions. */
const perPod = [
  "pod-template-hash",
  "pod-template-generation",
  "controller-revision-hash",
  "statefulset.kubernetes.io/pod-name",
  "apps.kubernetes.io/pod-index",
];

/**
 * The one workload behind a Service, if it can be scaled to zero and back without anybody fighting over it. Rejects with a {@linkcode Failure} that says why
 * not and what to do instead, or as `api` does. Changes nothing.
 */
export async function findScalable(
  { namespace, service, selector, pods }: FindScalableOptions,
  api: Api,
  signal: AbortSignal,
): Promise<FoundScalable> {
  const which = `service "${service}" in namespace "${namespace}"`;
  const agent = pods.find(({ metadata }) => metadata?.labels?.[labels.agent] !== undefined);
  if (agent) {
    throw new Failure(
      `Pod "${agent.metadata?.name}" of hawser stands among the pods of ${which} already: only one developer at a time can have it with --mode scale`,
    );
  }
  const living = pods.filter(({ metadata, status }) =>
    !metadata?.deletionTimestamp && status?.phase !== "Succeeded" && status?.phase !== "Failed"
  );
  if (living.length === 0) throw await noPods(namespace, which, selector, api, signal);
  const owners = new Map<string, V1OwnerReference>();
  for (const { metadata } of living) {
    const owner = controllerOf(metadata);
    if (!owner) {
      throw new Failure(`Pod "${metadata?.name}" of ${which} belongs to no workload that could be scaled${instead}`);
    }
    owners.set(owner.uid, owner);
  }
  const workloads = new Map<string, V1OwnerReference>();
  for (const owner of owners.values()) {
    const workload = await aboveReplicaSet(owner, namespace, api, signal);
    workloads.set(`${workload.kind} ${workload.name}`, workload);
  }
  const [owner, ...others] = workloads.values();
  if (!owner || others.length > 0) {
    const names = [...workloads.values()].map(({ kind, name }) => `${kind.toLowerCase()}/${name}`);
    throw new Failure(`Behind ${which} are several workloads: ${names.join(", ")}${instead}`);
  }
  const resource = owner.apiVersion === "apps/v1" ? resources[owner.kind] : undefined;
  const name = `${owner.kind.toLowerCase()}/${owner.name}`;
  if (!resource) {
    throw new Failure(
      `Behind ${which} is ${name} (${owner.apiVersion}), and only deployments and statefulsets can be scaled to zero and back${instead}`,
    );
  }
  const found = { resource, name: owner.name };
  const { metadata, spec } = await api.get<ScaledObject>(paths.scalable(namespace, found), {}, signal);
  const above = controllerOf(metadata);
  if (above) {
    throw new Failure(
      `${name} belongs to ${above.kind} "${above.name}" (${above.apiVersion}), which would scale it up again${instead}`,
    );
  }
  if ((spec?.replicas ?? 1) === 0) throw new Failure(`${name} has no replicas already: there is nothing to scale down`);
  await refuseScaler(namespace, found, api, signal);
  const worn = Object.entries(spec?.template?.metadata?.labels ?? {}).filter(([key]) => !perPod.includes(key));
  return { ...found, labels: Object.fromEntries(worn) };
}

const instead = ": leave --mode scale away, the service's selector can be changed whatever is behind it";

function controllerOf(metadata: V1ObjectMeta | undefined): V1OwnerReference | undefined {
  return metadata?.ownerReferences?.find(({ controller }) => controller);
}

async function aboveReplicaSet(
  owner: V1OwnerReference,
  namespace: string,
  api: Api,
  signal: AbortSignal,
): Promise<V1OwnerReference> {
  if (owner.kind !== "ReplicaSet") return owner;
  const path = `/apis/apps/v1/namespaces/${namespace}/replicasets/${owner.name}`;
  return controllerOf((await api.get<V1ReplicaSet>(path, {}, signal)).metadata) ?? owner;
}

/** A workload that has no pods is found by its template; somebody may have scaled it to zero, with hawser or without. */
async function noPods(
  namespace: string,
  which: string,
  selector: Readonly<Record<string, string>>,
  api: Api,
  signal: AbortSignal,
): Promise<Failure> {
  const found = await Promise.all(
    Object.values(resources).map(async (resource) => {
      const { items } = await api.list<ScaledObject>(paths.scalables(namespace, resource), {}, signal);
      return items.filter(({ spec }) => {
        const worn = spec?.template?.metadata?.labels ?? {};
        return Object.entries(selector).every(([key, value]) => worn[key] === value);
      }).map((object) => ({ name: `${resource.slice(0, -1)}/${object.metadata?.name}`, note: readNote(object) }));
    }),
  );
  const [workload] = found.flat();
  if (!workload) return new Failure(`There are no pods behind ${which}, and no deployment or statefulset to scale`);
  const { name, note } = workload;
  return new Failure(
    note
      ? `${note.by} has scaled ${name} behind ${which} to zero: wait until they are done. If they are gone for good: hawser clean`
      : `${name} behind ${which} has no pods already: there is nothing to scale down`,
  );
}

async function refuseScaler(namespace: string, workload: Scalable, api: Api, signal: AbortSignal): Promise<void> {
  const path = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`;
  const scalers = await unlessGone(api.list<V2HorizontalPodAutoscaler>(path, {}, signal));
  const scaler = scalers?.items.find(({ spec }) =>
    resources[spec?.scaleTargetRef.kind ?? ""] === workload.resource && spec?.scaleTargetRef.name === workload.name
  );
  if (!scaler) return;
  const { metadata, spec } = scaler;
  throw new Failure(
    `The autoscaler "${metadata?.name}" keeps ${describeScalable(workload)} between ${
      spec?.minReplicas ?? 1
    } and ${spec?.maxReplicas} pods, and it and hawser would fight over it. Leave --mode scale away, or delete the autoscaler meanwhile: kubectl -n ${namespace} delete hpa ${metadata?.name}`,
  );
}
