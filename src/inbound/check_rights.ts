import type { Api } from "../cluster/api.ts";
import { type CommandWithRights, permissions } from "../cluster/permissions.ts";
import { reviewAccess } from "../cluster/review_access.ts";
import { Failure } from "../platform/failure.ts";

/** Rejects with a {@linkcode Failure} that lists what is missing where the user may not do all that a command has to, so that nothing is left half done. */
export async function checkRights(
  command: CommandWithRights,
  namespace: string,
  api: Api,
  signal: AbortSignal,
): Promise<void> {
  const needed = permissions[command].filter(({ without }) => without === undefined);
  const denied = (await reviewAccess(api, needed, namespace, signal)).filter(({ allowed }) => !allowed);
  if (denied.length === 0) return;
  const missing = needed.flatMap((permission) => {
    const { group, resource, subresource } = permission;
    const verbs = denied.filter((review) => review.permission === permission).map(({ verb }) => verb);
    const name = `${resource}${group === "" ? "" : `.${group}`}${subresource === "" ? "" : `/${subresource}`}`;
    return verbs.length > 0 ? [`${verbs.join(", ")} on ${name}`] : [];
  });
  const [name, kind] = command === "relay" ? ["--relay", "relay"] : [`hawser ${command}`, "inbound"];
  throw new Failure(
    `${name} needs rights in namespace "${namespace}" that you do not have: ${
      missing.join("; ")
    }. Nothing was changed. ` +
      `Show an administrator what this prints: hawser doctor --rbac --${kind} -n ${namespace}`,
  );
}
