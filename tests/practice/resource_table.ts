import type { KubeObject } from "./kube_object.ts";

/** A kind of object that the API server keeps. */
export interface Resource {
  /** `name` or `name.group`: what it is called in {@linkcode resourceTable} and in the store. */
  readonly key: string;
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** As objects write it: `v1`, `apps/v1`. */
  readonly apiVersion: string;
  /** Plural, as in paths. */
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  /** `status`, `scale` … */
  readonly subresources: readonly string[];
  /** What a field selector may name. */
  readonly fields: Readonly<Record<string, (object: KubeObject) => string>>;
}

/** All resources, by `name` or `name.group`. */
export const resourceTable: ReadonlyMap<string, Resource> = new Map([
  core("namespaces", "Namespace", { cluster: true, short: "ns", status: true, fields: ["status.phase"] }),
  core("nodes", "Node", { cluster: true, short: "no", status: true }),
  core("services", "Service", { short: "svc", status: true, fields: ["spec.clusterIP", "spec.type"] }),
  core("endpoints", "Endpoints", { short: "ep" }),
  core("pods", "Pod", {
    short: "po",
    status: true,
    fields: ["spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase", "status.podIP"],
    subresources: ["portforward", "exec", "log", "eviction"],
  }),
  core("configmaps", "ConfigMap", { short: "cm" }),
  core("secrets", "Secret", { fields: ["type"] }),
  core("resourcequotas", "ResourceQuota", { short: "quota", status: true }),
  core("serviceaccounts", "ServiceAccount", { short: "sa" }),
  core("events", "Event", {
    short: "ev",
    fields: [
      ...["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"].map((f) =>
        `involvedObject.${f}`
      ),
      "reason",
      "type",
      "source",
    ],
  }),
  named("apps", "v1", "deployments", "Deployment", { short: "deploy", status: true, subresources: ["scale"] }),
  named("apps", "v1", "replicasets", "ReplicaSet", { short: "rs", status: true, subresources: ["scale"] }),
  named("apps", "v1", "statefulsets", "StatefulSet", { short: "sts", status: true, subresources: ["scale"] }),
  named("apps", "v1", "daemonsets", "DaemonSet", { short: "ds", status: true }),
  named("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", { short: "hpa", status: true }),
  named("networking.k8s.io", "v1", "ingresses", "Ingress", { short: "ing", status: true }),
  named("networking.k8s.io", "v1", "ingressclasses", "IngressClass", { cluster: true }),
  named("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", { short: "pdb", status: true }),
  named("batch", "v1", "jobs", "Job", { status: true }),
  named("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", {}),
  named("coordination.k8s.io", "v1", "leases", "Lease", {}),
  named("rbac.authorization.k8s.io", "v1", "roles", "Role", {}),
  named("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", {}),
]);

interface Traits {
  readonly cluster?: boolean;
  readonly short?: string;
  readonly status?: boolean;
  readonly subresources?: readonly string[];
  readonly fields?: readonly string[];
}

function core(name: string, kind: string, traits: Traits): [string, Resource] {
  return named("", "v1", name, kind, traits);
}

function named(group: string, version: string, name: string, kind: string, traits: Traits): [string, Resource] {
  const { cluster = false, short, status = false, subresources = [], fields = [] } = traits;
  const selectable = ["metadata.name", ...(cluster ? [] : ["metadata.namespace"]), ...fields];
  const key = group ? `${name}.${group}` : name;
  return [key, {
    key,
    apiVersion: group ? `${group}/${version}` : version,
    group,
    version,
    name,
    kind,
    namespaced: !cluster,
    shortNames: short ? [short] : [],
    subresources: [...(status ? ["status"] : []), ...subresources],
    fields: Object.fromEntries(selectable.map((path) => [path, (object: KubeObject) => read(object, path)])),
  }];
}

function read(object: KubeObject, path: string): string {
  let value: unknown = object;
  for (const step of path.split(".")) value = (value as Record<string, unknown> | undefined)?.[step]; // undefined ends it
  return value === undefined || value === null ? "" : String(value);
}
