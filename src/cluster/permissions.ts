/** A command that needs rights in the cluster. */
export type CommandWithRights =
  | "connect"
  | "run"
  | "run --env-from"
  | "forward"
  | "exchange"
  | "exchange --mode scale"
  | "mesh"
  | "preview"
  | "preview --external ingress"
  | "relay"
  | "status --cluster"
  | "recover"
  | "clean"
  | "clean --dry-run";

/** Verbs on one resource, as a rule of a Role has them. */
export interface Permission {
  /** Empty for the core group. */
  readonly group: string;
  readonly resource: string;
  /** Empty for the resource itself. */
  readonly subresource: string;
  readonly verbs: readonly string[];
  /** What does not work without; undefined where nothing does. */
  readonly without: string | undefined;
}

const look = ["get", "list", "watch"];

const connect: readonly Permission[] = [
  { group: "", resource: "services", subresource: "", verbs: look, without: undefined },
  {
    group: "discovery.k8s.io",
    resource: "endpointslices",
    subresource: "",
    verbs: look,
    without: "the pods of a service are found by its selector instead, which needs pods",
  },
  {
    group: "",
    resource: "pods",
    subresource: "",
    verbs: look,
    without: "pod addresses are not known, and messages cannot say why a pod is not ready",
  },
  // WebSockets are opened by GET; from Kubernetes 1.35 on they need create beside it, as SPDY always has.
  { group: "", resource: "pods", subresource: "portforward", verbs: ["get", "create"], without: undefined },
];

/** `forward` finds the pods of a workload by its selector. */
function target(group: string, resource: string, short: string): Permission {
  return { group, resource, subresource: "", verbs: ["get"], without: `${short}/NAME is no target` };
}

const workloads: readonly Permission[] = [
  target("apps", "deployments", "deploy"),
  target("apps", "statefulsets", "sts"),
  target("apps", "replicasets", "rs"),
  target("apps", "daemonsets", "ds"),
  target("batch", "jobs", "job"),
];

const configuration: readonly Permission[] = ["configmaps", "secrets"].map((resource) => ({
  group: "",
  resource,
  subresource: "",
  verbs: ["get"],
  without: `run --env-from and --files-from leave out what comes from ${resource}`,
}));

function all(group: string, resource: string, ...verbs: readonly string[]): Permission {
  return { group, resource, subresource: "", verbs, without: undefined };
}

/** An agent: pods are looked at beyond what `connect` does without, and objects are made. */
const agent: readonly Permission[] = [
  ...connect.map((each) => each.resource === "pods" && each.without ? { ...each, without: undefined } : each),
  all("", "configmaps", "get", "create"),
  // The one Secret that holds the agent's token: made by the first, read by whoever joins.
  all("", "secrets", "get", "create"),
  all("apps", "deployments", "get", "list", "create", "patch", "delete"),
  all("coordination.k8s.io", "leases", "get", "list", "create", "patch", "delete"),
];

/** Who brings traffic in. */
const inbound: readonly Permission[] = [
  ...agent,
  all("", "services", "create", "patch"),
  { ...all("apps", "replicasets", "get"), without: "--cut cannot find the deployment of pods" },
  { ...all("apps", "statefulsets", "get", "patch"), without: "exchange --cut cannot restart a statefulset" },
];

function scale(resource: string): Permission {
  return { group: "apps", resource, subresource: "scale", verbs: ["patch"], without: undefined };
}

/** Beside `inbound`: the workload is scaled to zero and back, and nobody else may be at it. */
const scaling: readonly Permission[] = [
  all("autoscaling", "horizontalpodautoscalers", "list"),
  all("apps", "replicasets", "get"),
  all("apps", "statefulsets", "get", "list", "patch"),
  scale("deployments"),
  scale("statefulsets"),
];

/** Putting back makes nothing but a Lease. */
const restoring: readonly Permission[] = [
  all("", "services", "get", "list", "patch"),
  all("", "pods", "list"),
  { ...all("discovery.k8s.io", "endpointslices", "list"), without: "putting back takes a few seconds longer" },
  all("apps", "deployments", "get", "list", "patch", "delete"),
  all("coordination.k8s.io", "leases", "get", "list", "create", "patch", "delete"),
  ...scaling.filter(({ resource, subresource }) => resource === "statefulsets" || subresource === "scale")
    .map((each) => ({ ...each, without: "workloads that exchange --mode scale has left without pods stay so" })),
];

/** Who has what of hawser's. */
const surveying: readonly Permission[] = [
  all("", "services", "list"),
  all("apps", "deployments", "list"),
  all("coordination.k8s.io", "leases", "list"),
];

/** What each command needs in each namespace it works in. */
export const permissions: Readonly<Record<CommandWithRights, readonly Permission[]>> = {
  connect,
  run: connect,
  "run --env-from": [...connect, ...workloads, ...configuration],
  forward: [...connect, ...workloads],
  exchange: inbound,
  "exchange --mode scale": [...inbound, ...scaling],
  mesh: inbound,
  preview: inbound,
  "preview --external ingress": [...inbound, all("networking.k8s.io", "ingresses", "get", "create")],
  relay: agent,
  "status --cluster": surveying,
  recover: restoring,
  clean: restoring,
  "clean --dry-run": surveying,
};
