import { permissions } from "../cluster/permissions.ts";
import { reviewAccess } from "../cluster/review_access.ts";
import type { Log } from "../platform/log.ts";
import type { Cluster } from "./open_cluster.ts";

const tunnel = permissions.connect.filter(({ subresource }) => subresource === "portforward");

/**
 * Tells, while other things go on, where the user may look at a namespace and not connect to anything in it: else the first connection would. Returns what ends the
 * look.
 */
export function warnWithoutTunnels(
  { api, access: { namespace } }: Pick<Cluster, "api" | "access">,
  { log }: { readonly log: Log },
): () => void {
  const closing = new AbortController();
  reviewAccess(api, tunnel, namespace, closing.signal).then((reviews) => {
    const missing = reviews.filter(({ allowed }) => !allowed).map(({ verb }) => verb);
    if (missing.length === 0) return;
    log.event(
      `You may not connect to pods of namespace "${namespace}": ask for ${
        missing.join(" and ")
      } on pods/portforward; ` +
        `hawser doctor --rbac -n ${namespace} prints the Role`,
    );
  }, () => {}); // the first connection tells
  return () => closing.abort();
}
