import type { Api } from "../../cluster/api.ts";
import { namespaceExists } from "../../cluster/namespace_exists.ts";
import { type CommandWithRights, type Permission, permissions } from "../../cluster/permissions.ts";
import { type AccessReview, reviewAccess } from "../../cluster/review_access.ts";
import { roleFlags } from "../../inbound/role_flags.ts";
import { fail, failed, type Finding, ok, warn } from "./finding.ts";

/** Whether the namespace is there, and each right that `forward` needs in it, and those that the other commands need beside it. */
export async function checkPermissions(
  api: Api,
  namespace: string,
  agents: readonly CommandWithRights[],
  signal: AbortSignal,
): Promise<Finding[]> {
  try {
    // Those of connect and run are among the ones of forward; what an agent cannot do without is told as such.
    const wanted = [...new Set([...agents, "forward" as const].flatMap((command) => permissions[command]))];
    const reviews = await reviewAccess(api, wanted, namespace, signal);
    return [
      await checkNamespace(api, namespace, signal),
      ...Map.groupBy(wanted, subjectOf).entries().map(([subject, each]) =>
        judge(subject, each, namespace, reviews, agents)
      ),
    ];
  } catch (error) {
    return [failed("permissions", error)];
  }
}

async function checkNamespace(api: Api, namespace: string, signal: AbortSignal): Promise<Finding> {
  switch (await namespaceExists(api, namespace, signal)) {
    case true:
      return ok("namespace", namespace);
    case false:
      return fail("namespace", `there is no namespace "${namespace}"`, "choose another with -n");
    case undefined:
      return warn("namespace", `whether "${namespace}" exists is hidden from you; that alone does no harm`);
  }
}

/** The verdict on one resource; commands want it for different reasons, and with different verbs. */
function judge(
  subject: string,
  permissions: readonly Permission[],
  namespace: string,
  reviews: readonly AccessReview[],
  agents: readonly CommandWithRights[],
): Finding {
  const flags = [...new Set(agents.flatMap((each) => roleFlags(each).trim().split(" ")))].map((flag) => ` ${flag}`)
    .join("");
  const verbs = unique(permissions.flatMap(({ verbs }) => verbs));
  const denied = reviews.filter(({ permission, allowed }) => permissions.includes(permission) && !allowed);
  if (denied.length === 0) return ok(subject, verbs.join(", "));
  const missing = unique(denied.map(({ verb }) => verb));
  const what = `not allowed: ${missing.join(", ")}`;
  const next = `ask for what hawser doctor --rbac${flags} -n ${namespace} prints`;
  if (agents.length === 0 && missing.every((verb) => verb === "watch")) {
    return warn(subject, `${what}; the cluster is asked when a name is used instead`, next);
  }
  const losses = unique(denied.map(({ permission }) => permission.without));
  if (!losses.includes(undefined)) return warn(subject, `${what}; ${losses.join("; ")}`, next);
  return fail(subject, what, missing.length === verbs.length ? `${next}, or name another namespace with -n` : next);
}

function subjectOf({ resource, subresource }: Pick<Permission, "resource" | "subresource">): string {
  return subresource === "" ? resource : `${resource}/${subresource}`;
}

function unique<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)];
}
