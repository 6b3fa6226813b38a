import { Failure } from "../platform/failure.ts";
import type { Plan } from "./plan.ts";
import type { VersionLabel } from "./variant.ts";

/** Plans the agent that is one more pod of a Service, under a name of its own. Throws a {@linkcode Failure} where the Service selects by that very label. */
export function planManual(plan: Plan, name: string, { key, value }: VersionLabel, owner: string): Plan {
  const { namespace, service, origin } = plan;
  const selector = origin?.selector ?? {};
  if (selector[key] !== undefined) {
    throw new Failure(
      `Service "${service}" in namespace "${namespace}" selects pods by the label ${key} itself (${
        selector[key]
      }): choose another with --version-mark KEY:VALUE`,
    );
  }
  return {
    ...plan,
    service: name,
    origin: undefined,
    variant: "manual",
    labels: { ...selector, [key]: value },
    ready: "while-linked",
    nobody: `${owner} answers for "${namespace}/${service}" where ${key} is "${value}", and that laptop is away`,
    warnings: [],
  };
}
