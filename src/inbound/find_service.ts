import type { V1Pod, V1PodTemplateSpec, V1Service } from "@kubernetes/client-node";
import { type Api } from "../cluster/api.ts";
import { findWorkload, type WorkloadName } from "../cluster/workload.ts";
import { Failure } from "../platform/failure.ts";
import { labels, manager } from "./names.ts";
import { paths } from "./paths.ts";
import { diversionOf, readUndo } from "./undo.ts";

/**
 * The name of the Service that stands before a workload; a Service stands for itself. Rejects as `findWorkload` does, or with a Failure where there is none,
 * or more than one.
 */
export async function findService(
  target: WorkloadName,
  namespace: string,
  api: Api,
  signal: AbortSignal,
): Promise<string> {
  const { kind, name } = target;
  const found = await findWorkload(api, target, namespace, signal);
  if (kind === "service") return name;
  const pod = found.pods[0]?.labels ?? await templateLabels(target, namespace, api, signal);
  const { items } = await api.list<V1Service>(paths.services(namespace), {}, signal);
  const before = items.filter((service) => service.metadata?.labels?.[labels.managedBy] !== manager)
    .filter((service) => selects(service, pod)).flatMap(({ metadata }) => metadata?.name ?? []);
  const [service, ...others] = before;
  if (service === undefined) {
    throw new Failure(`No service in namespace "${namespace}" selects the pods of ${kind} "${name}"`);
  }
  if (others.length > 0) {
    throw new Failure(`Several services select the pods of ${kind} "${name}": ${before.join(", ")}. Name one of them`);
  }
  return service;
}

function selects(service: V1Service, pod: Readonly<Record<string, string>>): boolean {
  const selector = diversionOf(service) === "none" ? service.spec?.selector : readUndo(service)?.selector;
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 && wanted.every(([key, value]) => pod[key] === value);
}

/** For a workload that has no pods just now. */
async function templateLabels(
  { kind, name }: WorkloadName,
  namespace: string,
  api: Api,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  if (kind === "pod") return {};
  const group = kind === "job" ? "/apis/batch/v1" : "/apis/apps/v1";
  const { spec } = await api.get<
    { readonly spec?: { readonly template?: V1PodTemplateSpec } } & Pick<V1Pod, "metadata">
  >(
    `${group}/namespaces/${namespace}/${kind}s/${name}`,
    {},
    signal,
  );
  return spec?.template?.metadata?.labels ?? {};
}
