import type { Api } from "../cluster/api.ts";
import { type CommandWithRights, permissions } from "../cluster/permissions.ts";
import { reviewAccess } from "../cluster/review_access.ts";
import { Failure } from "../platform/failure.ts";
import { roleFlags } from "./role_flags.ts";

/**
 * Rejects with a {@linkcode Failure} that lists what is missing where the user may not do all that a command has to, so that nothing is left half done.
 * `namespace` undefined stands for all.
 */
export async function checkRights(
  command: CommandWithRights,
  namespace: string | undefined,
  api: Api,
  signal: AbortSignal,
): Promise<void> {
  const needed = permissions[command].filter(({ without }) => without === undefined);
  const denied = (await reviewAccess(api, needed, namespace ?? "", signal)).filter(({ allowed }) => !allowed);
  if (denied.length === 0) return;
  const missing = needed.flatMap((permission) => {
    const { group, resource, subresource } = permission;
    const verbs = denied.filter((review) => review.permission === permission).map(({ verb }) => verb);
    const name = `${resource}${group === "" ? "" : `.${group}`}${subresource === "" ? "" : `/${subresource}`}`;
    return verbs.length > 0 ? [`${verbs.join(", ")} on ${name}`] : [];
  }).join("; ");
  const name = command === "relay" ? "--relay" : `hawser ${command}`;
  throw new Failure(
    namespace === undefined
      ? `${name} -A needs rights in all namespaces, from a ClusterRole, that you do not have: ${missing}. Nothing was changed. ` +
        `In one namespace a Role is enough: ${name} -n NAMESPACE`
      : `${name} needs rights in namespace "${namespace}" that you do not have: ${missing}. Nothing was changed. ` +
        `Show an administrator what this prints: hawser doctor --rbac${roleFlags(command)} -n ${namespace}`,
  );
}
