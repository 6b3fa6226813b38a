import type { FoundScalable } from "./find_scalable.ts";
import type { Plan } from "./plan.ts";

/** Plans the agent that takes the place of a workload's pods. `others` are further Services that select these pods. */
export function planScaled(plan: Plan, workload: FoundScalable, others: readonly string[], owner: string): Plan {
  const { namespace, service, warnings } = plan;
  const { resource, name, labels } = workload;
  return {
    ...plan,
    origin: undefined,
    variant: "scale",
    labels,
    ready: "linked",
    nobody:
      `Nobody serves "${namespace}/${service}" now: ${owner} has exchanged it with its pods scaled to zero, and that laptop is away. They come back by: hawser recover ${service} -n ${namespace}`,
    workload: { resource, name },
    warnings: [
      ...warnings,
      ...others.map((other) =>
        `service "${other}" selects the same pods: what comes to those of its ports that are exposed here comes here as well, and nobody answers the others`
      ),
    ],
  };
}
