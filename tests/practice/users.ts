/** A rule as Roles hold them (`rbac.authorization.k8s.io/v1`), with the namespaces it holds in. */
export interface PolicyRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
  /** Where it holds; everywhere if left out, cluster-wide requests included. */
  readonly namespaces?: readonly string[];
}

/** A user of the practice cluster. */
export interface UserOptions {
  readonly name: string;
  readonly groups?: readonly string[];
  /** How the user proves it. `expired-certificate` is a client certificate of last year. Default `token`. */
  readonly by?: "token" | "certificate" | "expired-certificate";
  /** What the user may do, beside reviewing their own rights. Default everything. */
  readonly rules?: readonly PolicyRule[];
}
