import { type Api, ApiError } from "../../cluster/api.ts";
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
      ...wanted.map((each) => judge(each, namespace, reviews, agents)),
    ];
  } catch (error) {
    return [failed("permissions", error)];
  }
}

async function checkNamespace(api: Api, namespace: string, signal: AbortSignal): Promise<Finding> {
  try {
    await api.get(`/api/v1/namespaces/${namespace}`, {}, signal);
    return ok("namespace", namespace);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 404) {
      return fail("namespace", `there is no namespace "${namespace}"`, "choose another with -n");
    }
    return warn(
      "namespace",
      `whether "${namespace}" exists is hidden from you (${error.status}); that alone does no harm`,
    );
  }
}

function judge(
  permission: Permission,
  namespace: string,
  reviews: readonly AccessReview[],
  agents: readonly CommandWithRights[],
): Finding {
  const { resource, subresource, verbs, without } = permission;
  const flags = [...new Set(agents.flatMap((each) => roleFlags(each).trim().split(" ")))].map((flag) => ` ${flag}`)
    .join("");
  const subject = subresource === "" ? resource : `${resource}/${subresource}`;
  const missing = reviews.filter((review) => review.permission === permission && !review.allowed).map(({ verb }) =>
    verb
  );
  if (missing.length === 0) return ok(subject, verbs.join(", "));
  const what = `not allowed: ${missing.join(", ")}`;
  const next = `ask for what hawser doctor --rbac${flags} -n ${namespace} prints`;
  if (without !== undefined) return warn(subject, `${what}; ${without}`, next);
  return fail(subject, what, missing.length === verbs.length ? `${next}, or name another namespace with -n` : next);
}
