import type { V1SelfSubjectAccessReview } from "@kubernetes/client-node";
import type { Api } from "./api.ts";
import type { Permission } from "./permissions.ts";

/** Whether the user may do one thing. */
export interface AccessReview {
  readonly permission: Permission;
  readonly verb: string;
  readonly namespace: string;
  readonly allowed: boolean;
  /** The authorizer's words, mostly empty. */
  readonly reason: string;
}

const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/**
 * Asks the API server whether the user has each verb of each permission in a namespace, or in all where it is empty, all at once (SelfSubjectAccessReview, which every user may
 * create). The answers are exact for what the authorizers decide; admission may still say no. Rejects as `api.create` does.
 */
export async function reviewAccess(
  api: Api,
  wanted: readonly Permission[],
  namespace: string,
  signal: AbortSignal,
): Promise<readonly AccessReview[]> {
  const questions = wanted.flatMap((permission) => permission.verbs.map((verb) => ({ permission, verb })));
  return await Promise.all(questions.map(async ({ permission, verb }) => {
    const { group, resource, subresource } = permission;
    const review: V1SelfSubjectAccessReview = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: { namespace, verb, group, resource, subresource } },
    };
    const { status } = await api.create<V1SelfSubjectAccessReview>(path, review, signal);
    return { permission, verb, namespace, allowed: status?.allowed ?? false, reason: status?.reason ?? "" };
  }));
}
