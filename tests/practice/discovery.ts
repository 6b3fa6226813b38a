import { resourceTable } from "./resource_table.ts";
import type { Resource } from "./resource_table.ts";

const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const reviewGroups: Readonly<Record<string, readonly string[]>> = {
  "authorization.k8s.io": ["SelfSubjectAccessReview", "SelfSubjectRulesReview"],
  "authentication.k8s.io": ["SelfSubjectReview"],
};

/** Answers the paths by which clients find out what a server can do; undefined for all others. `hidden` resources are left out. */
export function discovery(path: string, version: string, hidden: ReadonlySet<string>): unknown {
  const shown = [...resourceTable].filter(([key]) => !hidden.has(key)).map(([, resource]) => resource);
  const groups = [...new Set([...shown.map(({ group }) => group), ...Object.keys(reviewGroups)])].filter((g) =>
    g !== ""
  );
  const steps = path.split("/").filter((step) => step !== "");
  switch (steps.length === 1 ? steps[0] : "") {
    case "version": {
      const [major, minor] = version.split(".");
      return { major, minor, gitVersion: `v${version}`, platform: "practice/loopback" };
    }
    case "api":
      return { kind: "APIVersions", versions: ["v1"] };
    case "apis":
      return { kind: "APIGroupList", apiVersion: "v1", groups: groups.map((name) => group(name, shown)) };
  }
  if (path === "/api/v1") return resourceList("", shown);
  if (steps[0] !== "apis" || !groups.includes(steps[1] ?? "")) return undefined;
  if (steps.length === 2) return { kind: "APIGroup", apiVersion: "v1", ...group(steps[1]!, shown) };
  return steps.length === 3 && steps[2] === versionOf(steps[1]!, shown) ? resourceList(steps[1]!, shown) : undefined;
}

/** The version in which a group is served; the reviews' are none of the table's. */
function versionOf(group: string, shown: readonly Resource[]): string {
  return shown.find((resource) => resource.group === group)?.version ?? "v1";
}

function group(name: string, shown: readonly Resource[]) {
  const number = versionOf(name, shown);
  const version = { groupVersion: `${name}/${number}`, version: number };
  return { name, versions: [version], preferredVersion: version };
}

function resourceList(group: string, shown: readonly Resource[]) {
  const own = shown.filter((resource) => resource.group === group).flatMap((resource) => {
    const { name, kind, namespaced, shortNames, subresources } = resource;
    const entry = { name, singularName: kind.toLowerCase(), namespaced, kind, verbs, shortNames };
    const subs = subresources.map((sub) => ({
      name: `${name}/${sub}`,
      singularName: "",
      namespaced,
      kind,
      verbs: ["get"],
    }));
    return [entry, ...subs];
  });
  const reviews = (reviewGroups[group] ?? []).map((kind) => {
    return { name: `${kind.toLowerCase()}s`, singularName: "", namespaced: false, kind, verbs: ["create"] };
  });
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: group ? `${group}/${versionOf(group, shown)}` : "v1",
    resources: [...own, ...reviews],
  };
}
