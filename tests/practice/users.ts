import type { IncomingHttpHeaders } from "node:http";
import type { Issued } from "./certificate_authority.ts";
import { StatusError } from "./status_error.ts";

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

/** Who asks. */
export interface Identity {
  readonly name: string;
  readonly groups: readonly string[];
}

/** What is asked for. */
export interface Attributes {
  readonly verb: string;
  readonly group: string;
  /** Empty for paths outside the API groups. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
}

/** What a client showed in TLS. */
export interface PeerCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** Signed by the cluster's authority, and of today. */
  readonly valid: boolean;
}

interface User extends UserOptions {
  readonly token: string;
  readonly issued: Issued | undefined;
}

const everything: PolicyRule = { apiGroups: ["*"], resources: ["*"], verbs: ["*"] };
const everyPath: PolicyRule = { nonResourceURLs: ["*"], verbs: ["*"] };
const reviews = ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"];
/** What Kubernetes lets every authenticated user do (`system:basic-user`, `system:discovery`). */
const basic: readonly PolicyRule[] = [
  { apiGroups: ["authorization.k8s.io", "authentication.k8s.io"], resources: reviews, verbs: ["create"] },
  { nonResourceURLs: ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"], verbs: ["get"] },
];
const open: PolicyRule = {
  nonResourceURLs: ["/healthz", "/livez", "/readyz", "/version", "/version/"],
  verbs: ["get"],
};

/** Who the users are, how they prove it, and what they may do. */
export class Users {
  readonly #users = new Map<string, User>();

  add(options: UserOptions, issued: Issued | undefined): void {
    this.#users.set(options.name, { ...options, issued, token: newToken() });
  }

  /** Throws a RangeError for a user that does not exist. */
  get(name: string): User {
    const user = this.#users.get(name);
    if (!user) throw new RangeError(`The practice cluster has no user "${name}": add it with addUser`);
    return user;
  }

  rotateToken(name: string): string {
    const token = newToken();
    this.#users.set(name, { ...this.get(name), token });
    return token;
  }

  /** Throws a 401, or a 403 for an impersonation that is not allowed. */
  authenticate(headers: IncomingHttpHeaders, certificate: PeerCertificate | undefined): Identity {
    const identity = this.#identify(headers, certificate);
    const name = headers["impersonate-user"];
    if (typeof name !== "string") return identity;
    const groups = [headers["impersonate-group"] ?? []].flat().flatMap((group) => group.split(/,\s*/));
    for (const [resource, what] of [["users", name], ...groups.map((group) => ["groups", group])]) {
      const asked = {
        verb: "impersonate",
        group: "",
        resource: resource!,
        subresource: "",
        namespace: "",
        name: what!,
        path: "",
      };
      this.authorize(identity, asked);
    }
    return { name, groups: [...groups, "system:authenticated"] };
  }

  /** Throws a 403 in Kubernetes' words unless the rules allow it. */
  authorize(identity: Identity, asked: Attributes): void {
    if (this.allows(identity, asked)) return;
    const { resource, subresource, group, namespace, name, verb, path } = asked;
    if (!resource) {
      const message = `forbidden: User "${identity.name}" cannot ${verb} path "${path}"`;
      throw new StatusError(403, "Forbidden", message, {});
    }
    const full = group ? `${resource}.${group}` : resource;
    const what = subresource ? `${resource}/${subresource}` : resource;
    const where = namespace ? `in the namespace "${namespace}"` : "at the cluster scope";
    const message =
      `${full} ${name ? `"${name}" ` : ""}is forbidden: User "${identity.name}" cannot ${verb} resource "${what}" ` +
      `in API group "${group}" ${where}`;
    throw new StatusError(403, "Forbidden", message, {
      ...(name ? { name } : {}),
      ...(group ? { group } : {}),
      kind: resource,
    });
  }

  allows(identity: Identity, asked: Attributes): boolean {
    return this.#rules(identity).some((rule) => matches(rule, asked));
  }

  /** The rules of a user in one namespace, as a SelfSubjectRulesReview shows them. */
  rules(identity: Identity, namespace: string): PolicyRule[] {
    const here = this.#rules(identity).filter((rule) => !rule.namespaces || rule.namespaces.includes(namespace));
    return here.map(({ namespaces: _, ...rule }) => rule);
  }

  #rules(identity: Identity): readonly PolicyRule[] {
    if (identity.groups.includes("system:masters")) return [everything, everyPath];
    const known = this.#users.get(identity.name);
    const own = known ? known.rules ?? [everything, everyPath] : [];
    return [open, ...(identity.groups.includes("system:authenticated") ? basic : []), ...own];
  }

  #identify(headers: IncomingHttpHeaders, certificate: PeerCertificate | undefined): Identity {
    const bearer = /^Bearer\s+(.+)$/i.exec(headers.authorization ?? "")?.[1];
    if (certificate?.valid) {
      return { name: certificate.commonName, groups: [...certificate.organizations, "system:authenticated"] };
    }
    if (bearer) {
      for (const user of this.#users.values()) {
        if (user.token === bearer && (user.by ?? "token") === "token") {
          return { name: user.name, groups: [...user.groups ?? [], "system:authenticated"] };
        }
      }
    }
    if (bearer || certificate || headers.authorization) throw new StatusError(401, "Unauthorized", "Unauthorized");
    return { name: "system:anonymous", groups: ["system:unauthenticated"] };
  }
}

function matches(rule: PolicyRule, asked: Attributes): boolean {
  if (!has(rule.verbs, asked.verb)) return false;
  if (!asked.resource) {
    return rule.nonResourceURLs?.some((url) => {
      return url === asked.path || (url.endsWith("*") && asked.path.startsWith(url.slice(0, -1)));
    }) ?? false;
  }
  if (rule.namespaces && !rule.namespaces.includes(asked.namespace)) return false;
  if (!has(rule.apiGroups ?? [], asked.group)) return false;
  const { resource, subresource } = asked;
  const wanted = subresource ? [`${resource}/${subresource}`, `*/${subresource}`] : [resource];
  if (!rule.resources?.some((name) => name === "*" || wanted.includes(name))) return false;
  return !rule.resourceNames?.length || rule.resourceNames.includes(asked.name);
}

function has(list: readonly string[], item: string): boolean {
  return list.includes(item) || list.includes("*");
}

function newToken(): string {
  return `practice-${crypto.randomUUID()}`;
}
