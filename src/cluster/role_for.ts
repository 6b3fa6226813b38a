import { type CommandWithRights, type Permission, permissions } from "./permissions.ts";

/** Whom a Role is for. */
export interface RoleOptions {
  readonly namespace: string;
  /** As the API server knows the user (`kubectl auth whoami`); undefined leaves the RoleBinding out. */
  readonly user?: string;
}

/** YAML of the Role that commands need in a namespace, and of its RoleBinding, to be handed to an administrator. */
export function roleFor(commands: readonly CommandWithRights[], options: RoleOptions): string {
  const rules = mergeRules([...new Set(commands.flatMap((command) => permissions[command]))]);
  const role = [
    ...head("Role", options.namespace),
    "rules:",
    ...rules.flatMap(({ group, resources, verbs }) => [
      `- apiGroups: [${JSON.stringify(group)}]`,
      `  resources: [${resources.join(", ")}]`,
      `  verbs: [${verbs}]`,
    ]),
  ];
  if (options.user === undefined) return role.join("\n") + "\n";
  const binding = [
    "---",
    ...head("RoleBinding", options.namespace),
    "roleRef:",
    "  apiGroup: rbac.authorization.k8s.io",
    "  kind: Role",
    "  name: hawser",
    "subjects:",
    ...subject(options.user),
  ];
  return [...role, ...binding].join("\n") + "\n";
}

function head(kind: string, namespace: string): string[] {
  return [
    "apiVersion: rbac.authorization.k8s.io/v1",
    `kind: ${kind}`,
    "metadata:",
    "  name: hawser",
    `  namespace: ${JSON.stringify(namespace)}`,
  ];
}

function subject(user: string): string[] {
  const [, namespace, account] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? [];
  if (namespace && account) {
    return [
      "- kind: ServiceAccount",
      `  name: ${JSON.stringify(account)}`,
      `  namespace: ${JSON.stringify(namespace)}`,
    ];
  }
  return ["- apiGroup: rbac.authorization.k8s.io", "  kind: User", `  name: ${JSON.stringify(user)}`];
}

/** Resources of one group with the same verbs share a rule, as people write them. */
function mergeRules(all: readonly Permission[]): { group: string; resources: string[]; verbs: string }[] {
  const rules: { group: string; resources: string[]; verbs: string }[] = [];
  for (const permission of all) {
    if (all.some((other) => includes(other, permission))) continue;
    const { group, resource, subresource, verbs } = permission;
    const name = subresource === "" ? resource : `${resource}/${subresource}`;
    const text = verbs.join(", ");
    const same = rules.find((rule) => rule.group === group && rule.verbs === text);
    if (same?.resources.includes(name)) continue;
    if (same) same.resources.push(name);
    else rules.push({ group, resources: [name], verbs: text });
  }
  return rules;
}

/** Whether one permission says all that another does, and more. */
function includes(one: Permission, other: Permission): boolean {
  return one.group === other.group && one.resource === other.resource && one.subresource === other.subresource &&
    one.verbs.length > other.verbs.length && other.verbs.every((verb) => one.verbs.includes(verb));
}
