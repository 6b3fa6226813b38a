import { resourceTable } from "./resource_table.ts";
import type { Resource } from "./resource_table.ts";

/** What a request is about. */
export interface RequestInfo {
  readonly path: string;
  readonly query: URLSearchParams;
  /** Kubernetes' verb. */
  readonly verb: string;
  readonly group: string;
  /** Plural name; empty for paths outside the API groups and for discovery. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  /** Of the table; undefined for reviews and for what the server does not know. */
  readonly known: Resource | undefined;
}

/** Reads the method and the target of a request as the API server does. */
export function requestInfo(method: string, target: string): RequestInfo {
  const url = URL.parse(target, "https://practice") ?? new URL("https://practice/");
  const path = decoded(url.pathname);
  const query = url.searchParams;
  const steps = path.split("/").filter((step) => step !== "");
  const group = steps[0] === "apis" ? steps[1] ?? "" : "";
  const version = steps[0] === "api" ? steps[1] : steps[0] === "apis" ? steps[2] : undefined;
  const rest = version === undefined ? [] : steps.slice(steps[0] === "api" ? 2 : 3);
  const namespaced = rest[0] === "namespaces" && rest.length > 2 && rest[2] !== "status" && rest[2] !== "finalize";
  const namespace = namespaced ? rest[1]! : "";
  const [resource = "", name = "", subresource = ""] = namespaced ? rest.slice(2) : rest;
  const known = resourceTable.get(group ? `${resource}.${group}` : resource);
  return {
    path,
    query,
    verb: verbOf(method, query, resource, name),
    group,
    resource,
    namespace: resource === "namespaces" && name ? name : namespace,
    name,
    subresource,
    known: known?.version === version ? known : undefined,
  };
}

function verbOf(method: string, query: URLSearchParams, resource: string, name: string): string {
  switch (method) {
    case "GET":
    case "HEAD":
      if (!resource || name) return "get";
      return /^(true|1)$/.test(query.get("watch") ?? "") ? "watch" : "list";
    case "POST":
      return resource ? "create" : "post";
    case "PUT":
      return resource ? "update" : "put";
    case "PATCH":
      return "patch";
    case "DELETE":
      return name || !resource ? "delete" : "deletecollection";
    default:
      return method.toLowerCase();
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // which is no object's, and is answered as such
  }
}
