import type { V1Service } from "@kubernetes/client-node";
import { type Api, ApiError } from "../cluster/api.ts";
import { Failure } from "../platform/failure.ts";
import { findScalable } from "./find_scalable.ts";
import type { InboundRequest } from "./inbound.ts";
import { labels, manager } from "./names.ts";
import { paths } from "./paths.ts";
import { type Plan, planAgent, planPreview } from "./plan.ts";
import { planManual } from "./plan_manual.ts";
import { planScaled } from "./plan_scaled.ts";
import { readService } from "./read_service.ts";
import { diversionOf, readUndo } from "./undo.ts";

/** Plans the agent for what is asked for, from what the cluster has. Rejects as `api` does, or with a {@linkcode Failure} that says why it cannot be. */
export async function makePlan(request: InboundRequest, api: Api, signal: AbortSignal): Promise<Plan> {
  const { kind, namespace, service, owner, variant } = request;
  if (kind === "preview") {
    const plan = await newService(request, api, signal);
    return variant?.kind === "external" ? { ...plan, variant: "external", external: variant.external } : plan;
  }
  const found = await readService(namespace, request.among ?? service, api, signal);
  const plan = planAgent(found);
  switch (variant?.kind) {
    case "scale": {
      const selector = plan.origin?.selector ?? {};
      const workload = await findScalable({ namespace, service, selector, pods: found.pods }, api, signal);
      return planScaled(
        plan,
        workload,
        await otherServices(service, namespace, workload.labels, api, signal),
        owner.name,
      );
    }
    case "manual":
      if (diversionOf(found.current) !== "none") throw divertedAlready(plan.service, readUndo(found.current)?.by);
      return planManual(plan, service, variant.label, owner.name);
    default:
      return plan;
  }
}

/** Further Services that select pods with these labels. */
async function otherServices(
  service: string,
  namespace: string,
  worn: Readonly<Record<string, string>>,
  api: Api,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { items } = await api.list<V1Service>(paths.services(namespace), {}, signal);
  return items.filter(({ metadata, spec }) => {
    const wanted = Object.entries(spec?.selector ?? {});
    return metadata?.name !== service && wanted.length > 0 && wanted.every(([key, value]) => worn[key] === value);
  }).flatMap(({ metadata }) => metadata?.name ?? []);
}

/** A preview's Service must not exist, unless it is a preview's that was left. */
async function newService(
  { namespace, service, exposes, owner }: InboundRequest,
  api: Api,
  signal: AbortSignal,
): Promise<Plan> {
  try {
    const { metadata } = await api.get<V1Service>(`${paths.services(namespace)}/${service}`, {}, signal);
    if (metadata?.labels?.[labels.managedBy] !== manager || metadata.labels[labels.service] !== service) {
      throw new Failure(
        `Service "${service}" exists already in namespace "${namespace}": hawser exchange ${service} brings its traffic here, a preview needs a new name`,
      );
    }
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
  const ports = exposes.map(({ local, port }) => {
    if (typeof port === "string") {
      throw new Failure(`A new service has no named ports yet: write --expose ${local}:NUMBER, not "${port}"`);
    }
    return port ?? local;
  });
  return planPreview(namespace, service, ports, owner.name);
}

function divertedAlready(service: string, by = "Somebody"): Failure {
  return new Failure(
    `${by} has diverted service "${service}" to an agent, so that no router chooses among its pods now: mesh it without --mode manual, or wait until they are done`,
  );
}
