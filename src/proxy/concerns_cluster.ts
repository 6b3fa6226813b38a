import type { Route } from "./route.ts";

/** Whether a failure to reach a destination is about the cluster: not where a way led past it, unless the host may have been meant as one of the cluster's. */
export function concernsCluster(error: unknown, route: Route | undefined): boolean {
  return route?.via !== "direct" || error === route.ifUnknown;
}
