import type { V1LabelSelector, V1ObjectMeta, V1Pod, V1PodTemplateSpec, V1Service } from "@kubernetes/client-node";
import { isHawsersOwn } from "./is_hawsers_own.ts";
import { didYouMean } from "../platform/nearest.ts";
import { type Api, ApiError } from "./api.ts";
import type { Pod, Service } from "./directory.ts";
import { toPod } from "./pod_model.ts";
import { byActivity } from "./pod_activity.ts";
import { toService } from "./service_model.ts";

/** Kinds of objects that stand for pods, in the singular, as kubectl writes them. */
export type WorkloadKind = keyof typeof kinds;

/** An object named as kubectl does: `deploy/api`. */
export interface WorkloadName {
  readonly kind: WorkloadKind;
  readonly name: string;
}

/** A named object and its pods. */
export interface Workload extends WorkloadName {
  readonly namespace: string;
  /** The Service itself where it is one. */
  readonly service: Service | undefined;
  /** The best first, in the order in which kubectl prefers them. */
  readonly pods: readonly Pod[];
}

/** So many names of what there is instead are told. */
const shownNames = 5;
const apps = "/apis/apps/v1";
const kinds = {
  service: { group: "/api/v1", resource: "services", short: ["svc"] },
  pod: { group: "/api/v1", resource: "pods", short: ["po"] },
  deployment: { group: apps, resource: "deployments", short: ["deploy"] },
  statefulset: { group: apps, resource: "statefulsets", short: ["sts"] },
  replicaset: { group: apps, resource: "replicasets", short: ["rs"] },
  daemonset: { group: apps, resource: "daemonsets", short: ["ds"] },
  job: { group: "/apis/batch/v1", resource: "jobs", short: [] },
} as const;

const kindsByWord: ReadonlyMap<string, WorkloadKind> = new Map(
  // The keys of an object literal are just these kinds, which Object.entries does not know.
  (Object.entries(kinds) as [WorkloadKind, typeof kinds[WorkloadKind]][]).flatMap(([kind, { resource, short }]) =>
    [kind, resource, ...short].map((word) => [word, kind] as const)
  ),
);

/** A Deployment, StatefulSet, ReplicaSet, DaemonSet or Job, as far as its pods are concerned. */
interface SelectingObject {
  readonly spec?: { readonly selector?: V1LabelSelector; readonly template?: V1PodTemplateSpec };
}

/**
 * Reads `deploy/api`, `pod/x`, `sts/db`, `svc/mysql` in kubectl's spellings; a bare name is a Service's. Throws a TypeError that quotes
 * what it cannot read.
 */
export function parseWorkload(text: string): WorkloadName {
  const [first = "", second, ...rest] = text.split("/");
  const kind = second === undefined ? "service" : kindsByWord.get(first.toLowerCase());
  const name = second ?? first;
  if (!kind) {
    throw new TypeError(
      `"${first}" in "${text}" is no kind with pods.${didYouMean(first, kindsByWord.keys())} Use ${usable()}`,
    );
  }
  if (rest.length > 0 || !/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(name)) {
    throw new TypeError(`"${text}" is no ${kind}: a name has lower-case letters, digits, "-" and "."`);
  }
  return { kind, name };
}

/** Words that go on from `text` to what {@linkcode parseWorkload} reads: kinds, or the objects of the kind that is written already. Rejects as `api.list` does. */
export async function workloadWords(
  text: string,
  api: Api,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const [kind = "", name] = text.split("/");
  if (name === undefined) {
    return (["deployment", "statefulset", "daemonset", "pod"] as const).map((kind) => `${shortest(kind)}/`);
  }
  const known = kindsByWord.get(kind.toLowerCase());
  return known ? (await namesIn(collection(known, namespace), api, signal)).map((name) => `${kind}/${name}`) : [];
}

/** A named object as the API server has it. */
export interface WorkloadObject extends WorkloadName {
  readonly namespace: string;
  /** What it makes its pods from; undefined for a Service or a pod. */
  readonly template: V1PodTemplateSpec | undefined;
  readonly service: V1Service | undefined;
  /** As in {@linkcode Workload}. */
  readonly pods: readonly V1Pod[];
}

/**
 * Finds a named object in a namespace, and its pods. Rejects with an ApiError: 404 with the nearest names where it does not exist, 403
 * with the right that is missing.
 */
export async function findWorkload(
  api: Api,
  target: WorkloadName,
  namespace: string,
  signal: AbortSignal,
): Promise<Workload> {
  const { kind, name, service, pods } = await readWorkload(api, target, namespace, signal);
  return { kind, name, namespace, service: service && toService(service), pods: pods.map(toPod) };
}

/** As {@linkcode findWorkload}, with all that the API server says of the object and its pods. */
export async function readWorkload(
  api: Api,
  { kind, name }: WorkloadName,
  namespace: string,
  signal: AbortSignal,
): Promise<WorkloadObject> {
  const get = <T>() => getObject<T>(api, { kind, name }, namespace, signal);
  const found = { kind, name, namespace, template: undefined, service: undefined };
  if (kind === "pod") return { ...found, pods: [await get<V1Pod>()] };
  const service = kind === "service" ? await get<V1Service>() : undefined;
  const spec = service ? undefined : (await get<SelectingObject>()).spec;
  const selector = service ? { matchLabels: toService(service).selector } : spec?.selector;
  const labelSelector = selectorText(selector ?? {});
  const owner = { ...found, service, template: spec?.template };
  if (labelSelector === "") return { ...owner, pods: [] };
  const { items } = await api.list<V1Pod>(`/api/v1/namespaces/${namespace}/pods`, { labelSelector }, signal);
  return { ...owner, pods: items.toSorted(byActivity) };
}

async function getObject<T>(
  api: Api,
  { kind, name }: WorkloadName,
  namespace: string,
  signal: AbortSignal,
): Promise<T> {
  try {
    return await api.get<T>(`${collection(kind, namespace)}/${name}`, {}, signal);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 404) throw await notFound(api, { kind, name }, namespace, error, signal);
    if (error.status !== 403) throw error;
    const { group, resource } = kinds[kind];
    const right = group === "/api/v1" ? resource : `${resource}.${group.split("/")[2]}`;
    const message =
      `You may not read ${kind} "${name}" in namespace "${namespace}". Ask for the verb get on ${right} there`;
    throw new ApiError(403, error.reason, message, error.request);
  }
}

/** Says what there is instead: another namespace, a near name, or an object of another kind with that name. */
async function notFound(
  api: Api,
  { kind, name }: WorkloadName,
  namespace: string,
  { request }: ApiError,
  signal: AbortSignal,
): Promise<ApiError> {
  // All of this is a courtesy: without the rights for it the plain sentence stays.
  const quietly = <T>(answer: Promise<T>) => answer.catch(() => undefined);
  const otherKinds = (["service", "deployment", "statefulset", "pod"] as const).filter((other) => other !== kind);
  const [namespaces, near, ...others] = await Promise.all([
    quietly(namesIn("/api/v1/namespaces", api, signal)),
    quietly(namesIn(collection(kind, namespace), api, signal)),
    ...otherKinds.map((other) => quietly(api.get(`${collection(other, namespace)}/${name}`, {}, signal))),
  ]);
  const report = (message: string) => new ApiError(404, "NotFound", message, request);
  if (namespaces && !namespaces.includes(namespace)) {
    return report(`The cluster has no namespace "${namespace}".${didYouMean(namespace, namespaces)}`);
  }
  const plain = `There is no ${kind} "${name}" in namespace "${namespace}".`;
  const same = otherKinds.find((_, at) => others[at] !== undefined);
  if (same) return report(`${plain} Did you mean "${shortest(same)}/${name}"?`);
  return report(plain + (didYouMean(name, near ?? []) || listed(near ?? [])));
}

/** Names of the objects in a collection, but for hawser's own. */
async function namesIn(path: string, api: Api, signal: AbortSignal): Promise<string[]> {
  const { items } = await api.list<{ readonly metadata?: V1ObjectMeta }>(path, {}, signal);
  return items.filter((object) => !isHawsersOwn(object)).map(({ metadata }) => metadata?.name ?? "");
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return "";
  const more = names.length > shownNames ? ` and ${names.length - shownNames} more` : "";
  return ` There ${names.length > 1 ? "are" : "is"} ${names.slice(0, shownNames).join(", ")}${more}.`;
}

function collection(kind: WorkloadKind, namespace: string): string {
  const { group, resource } = kinds[kind];
  return `${group}/namespaces/${namespace}/${resource}`;
}

function shortest(kind: WorkloadKind): string {
  return kind === "pod" ? "pod" : kinds[kind].short[0] ?? kind;
}

function usable(): string {
  return (Object.keys(kinds) as WorkloadKind[]).map((kind) => `${shortest(kind)}/NAME`).join(", "); // as above
}

/** A selector in the form in which a list takes it. */
function selectorText({ matchLabels = {}, matchExpressions = [] }: V1LabelSelector): string {
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    switch (operator) {
      case "In":
        return `${key} in (${values.join(",")})`;
      case "NotIn":
        return `${key} notin (${values.join(",")})`;
      case "Exists":
        return key;
      default:
        return `!${key}`;
    }
  });
  return [...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`), ...expressions].join(",");
}
