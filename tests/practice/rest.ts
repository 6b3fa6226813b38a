import type { ServerResponse } from "node:http";
import { discovery } from "./discovery.ts";
import type { KubeObject, Manifest } from "./kube_object.ts";
import type { Registry } from "./registry.ts";
import { representation, wantsMetadata } from "./representation.ts";
import type { RequestInfo } from "./request_info.ts";
import type { Resource } from "./resource_table.ts";
import { fieldSelector, labelSelector } from "./selector.ts";
import { StatusError } from "./status_error.ts";
import type { Store } from "./store.ts";
import type { Identity, Users } from "./users.ts";
import type { Watches } from "./watches.ts";

/** What {@linkcode Rest} needs. */
export interface RestDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly users: Users;
  readonly watches: Watches;
  /** What a pod, by its uid, has logged since its last start, or before that. */
  readonly log: (uid: string, previous: boolean) => readonly string[];
}

/** A request that may be done. */
export interface RestRequest {
  readonly info: RequestInfo;
  readonly identity: Identity;
  readonly accept: string | undefined;
  /** Media type of the body, without parameters. */
  readonly type: string;
  readonly body: Uint8Array;
}

interface Scale {
  readonly metadata?: { readonly resourceVersion?: unknown };
  readonly spec?: { readonly replicas?: unknown };
}

/** Kubernetes' REST conventions over the registry. All methods throw {@linkcode StatusError}. */
export class Rest {
  readonly #version: string;
  readonly #hidden: ReadonlySet<string>;
  readonly #deps: RestDeps;

  /** `version` is what the server claims to be, `hidden` are the keys of resources that it does not know. */
  constructor(version: string, hidden: ReadonlySet<string>, deps: RestDeps) {
    this.#version = version;
    this.#hidden = hidden;
    this.#deps = deps;
  }

  /** Does what is asked, but for watches; `value` is text or JSON. */
  answer(request: RestRequest): { status: number; value: unknown } {
    const { info, identity, accept, type, body } = request;
    if (/protobuf|cbor/.test(type)) throw unsupported(type);
    if (!info.resource) return { status: 200, value: this.#plain(info) };
    if (info.verb === "create" && info.group.startsWith("auth")) {
      return { status: 201, value: this.#review(info, identity, json(body) as Manifest) }; // looked at field by field
    }
    const { registry } = this.#deps;
    const resource = info.known;
    if (!resource || this.#hidden.has(resource.key)) throw StatusError.unknownPath();
    if (info.subresource && !resource.subresources.includes(info.subresource)) throw StatusError.unknownPath();
    if (resource.namespaced && !info.namespace && (info.name || info.verb === "create")) {
      throw StatusError.unknownPath();
    }
    const namespace = resource.namespaced ? info.namespace : "";
    const represent = representation(accept);
    const options = {
      subresource: info.subresource || undefined,
      dryRun: info.query.get("dryRun") === "All",
    };
    if (["portforward", "exec"].includes(info.subresource)) throw StatusError.badRequest("Upgrade request required");
    if (info.subresource === "eviction") return { status: 201, value: this.#delete(resource, namespace, info, body) };
    if (info.subresource === "log") return { status: 200, value: this.#log(resource, info) };
    if (info.subresource === "scale") return { status: 200, value: this.#scale(resource, request) };
    switch (info.verb) {
      case "get":
        return { status: 200, value: represent(registry.get(resource, namespace, info.name)) };
      case "list":
        return { status: 200, value: this.#list(resource, info, accept) };
      case "create":
        return { status: 201, value: registry.create(resource, namespace, json(body) as Manifest, options) }; // checked there
      case "update": {
        const manifest = json(body) as Manifest; // checked there
        return { status: 200, value: registry.update(resource, namespace, info.name, manifest, options) };
      }
      case "patch":
        return { status: 200, value: registry.patch(resource, namespace, info.name, type, json(body), options) };
      case "delete":
        return { status: 200, value: this.#delete(resource, namespace, info, body) };
      case "deletecollection": {
        const chosen = this.#select(resource, info);
        for (const object of chosen) {
          registry.delete(resource, object.metadata.namespace ?? "", object.metadata.name, deleteOptions(info, body));
        }
        return { status: 200, value: list(resource, chosen, this.#deps.store.revision) };
      }
      default:
        throw StatusError.methodNotAllowed();
    }
  }

  /** Paths outside the resources. */
  #plain(info: RequestInfo): unknown {
    if (["/readyz", "/livez", "/healthz"].includes(info.path)) return "ok";
    const found = discovery(info.path, this.#version, this.#hidden);
    if (!found) throw StatusError.unknownPath();
    return found;
  }

  #review(info: RequestInfo, identity: Identity, body: Manifest): unknown {
    const { users } = this.#deps;
    const spec = (body.spec ?? {}) as Record<string, Record<string, string> | string | undefined>; // of the review's fields
    const metadata = { creationTimestamp: null };
    const answer = (status: unknown) => ({ ...body, metadata, status });
    switch (info.resource) {
      case "selfsubjectaccessreviews": {
        const { resourceAttributes, nonResourceAttributes } = spec as Record<
          string,
          Record<string, string> | undefined
        >;
        const asked = { verb: "", group: "", resource: "", subresource: "", namespace: "", name: "", path: "" };
        const allowed = users.allows(identity, { ...asked, ...resourceAttributes, ...nonResourceAttributes });
        return answer(allowed ? { allowed, reason: "RBAC: allowed by the practice cluster" } : { allowed });
      }
      case "selfsubjectrulesreviews": {
        if (typeof spec.namespace !== "string") throw StatusError.badRequest("no namespace on request");
        const rules = users.rules(identity, spec.namespace);
        const resourceRules = rules.filter((rule) => rule.resources);
        const nonResourceRules = rules.filter((rule) => rule.nonResourceURLs);
        return answer({ resourceRules, nonResourceRules, incomplete: false });
      }
      case "selfsubjectreviews":
        return answer({ userInfo: { username: identity.name, groups: identity.groups } });
      default:
        throw StatusError.unknownPath();
    }
  }

  #select(resource: Resource, info: RequestInfo): KubeObject[] {
    const selects = selectsOf(resource, info);
    const namespace = resource.namespaced && info.namespace ? info.namespace : undefined;
    return this.#deps.store.list(resource.key, namespace).filter(selects);
  }

  #list(resource: Resource, info: RequestInfo, accept: string | undefined): unknown {
    const { store } = this.#deps;
    const limit = Number(info.query.get("limit") ?? 0);
    const token = info.query.get("continue");
    const from = token ? continued(token) : undefined;
    if (from && store.forgot(from.revision)) {
      throw StatusError.expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the " +
          "continue parameter.",
      );
    }
    const all = this.#select(resource, info).filter((object) => !from || positionOf(object) > from.after);
    const page = limit > 0 ? all.slice(0, limit) : all;
    const revision = from?.revision ?? store.revision;
    const left = all.length - page.length;
    const result = list(resource, page.map(representation(accept)), revision, wantsMetadata(accept));
    if (left === 0) return result;
    const next = btoa(JSON.stringify({ revision, after: positionOf(page.at(-1)!) }));
    return { ...result, metadata: { ...result.metadata, continue: next, remainingItemCount: left } };
  }

  /** Answers with a stream of changes. */
  watch(response: ServerResponse, info: RequestInfo, accept: string | undefined): void {
    const { store, watches } = this.#deps;
    const resource = info.known!;
    if (this.#hidden.has(resource.key)) throw StatusError.unknownPath();
    const { kind, apiVersion } = resource;
    const resourceVersion = info.query.get("resourceVersion") ?? "";
    if (Number(resourceVersion) > store.revision) {
      const message = `Timeout: Too large resource version: ${resourceVersion}, current: ${store.revision}`;
      throw new StatusError(504, "Timeout", message, { retryAfterSeconds: 1 });
    }
    const selects = selectsOf(resource, info);
    watches.serve(response, {
      resource: resource.key,
      namespace: resource.namespaced && info.namespace ? info.namespace : undefined,
      kind,
      apiVersion,
      selects: info.name ? (object) => object.metadata.name === info.name && selects(object) : selects,
      represent: representation(accept),
      resourceVersion,
      bookmarks: info.query.get("allowWatchBookmarks") === "true",
      sendInitialEvents: info.query.get("sendInitialEvents") === "true",
      timeout: Number(info.query.get("timeoutSeconds") ?? 0),
    });
  }

  #delete(resource: Resource, namespace: string, info: RequestInfo, body: Uint8Array): unknown {
    const object = this.#deps.registry.delete(resource, namespace, info.name, deleteOptions(info, body));
    if (resource.kind === "Pod" || object.metadata.deletionTimestamp) return object;
    const details = {
      name: info.name,
      group: resource.group || undefined,
      kind: resource.name,
      uid: object.metadata.uid,
    };
    return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
  }

  #log(resource: Resource, info: RequestInfo): string {
    const pod = this.#deps.registry.get(resource, info.namespace, info.name);
    const lines = this.#deps.log(pod.metadata.uid, info.query.get("previous") === "true");
    const tail = Number(info.query.get("tailLines") ?? lines.length);
    return lines.slice(lines.length - Math.min(tail, lines.length)).map((line) => line + "\n").join("");
  }

  #scale(resource: Resource, { info, type: given, body }: RestRequest): unknown {
    const { registry } = this.#deps;
    let object = registry.get(resource, info.namespace, info.name);
    const written = info.verb === "get" ? undefined : json(body) as Scale | null; // looked at field by field
    if (info.verb === "patch" && given === "application/json-patch+json") {
      throw StatusError.methodNotAllowed();
    }
    const asked = written?.metadata?.resourceVersion;
    if (asked && asked !== object.metadata.resourceVersion) throw StatusError.conflict(resource, info.name);
    const replicas = written?.spec?.replicas;
    if (typeof replicas === "number") {
      const type = "application/merge-patch+json";
      object = registry.patch(resource, info.namespace, info.name, type, { spec: { replicas } });
    }
    const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
    const { spec, status } = object as { spec?: { replicas?: number }; status?: { replicas?: number } }; // a workload's
    return {
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
      spec: { replicas: spec?.replicas },
      status: { replicas: status?.replicas ?? 0 },
    };
  }
}

function unsupported(type: string): StatusError {
  const message =
    `the body of the request was in an unknown format - accepted media types include: application/json, not ${type}`;
  return new StatusError(415, "UnsupportedMediaType", message);
}

/** A request's body; JSON is all that is taken. */
function json(body: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Said below.
  }
  throw StatusError.badRequest(
    "the object provided is unrecognized (must be of type Object): couldn't parse it as JSON",
  );
}

function deleteOptions(info: RequestInfo, body: Uint8Array) {
  const seconds = info.query.get("gracePeriodSeconds");
  const policy = info.query.get("propagationPolicy");
  return {
    ...(body.length > 0 ? json(body) as Record<string, never> : {}), // DeleteOptions; what is not known is not read
    ...(seconds === null ? {} : { gracePeriodSeconds: Number(seconds) }),
    ...(policy === null ? {} : { propagationPolicy: policy as "Background" }), // any other word counts as this one
  };
}

function selectsOf(resource: Resource, info: RequestInfo): (object: KubeObject) => boolean {
  const labels = labelSelector(info.query.get("labelSelector") ?? "");
  const fields = fieldSelector(info.query.get("fieldSelector") ?? "", resource.fields);
  return (object) => labels(object.metadata.labels) && fields(object);
}

function list(resource: Resource, objects: readonly KubeObject[], revision: number, metadataOnly = false) {
  const { kind, apiVersion } = resource;
  return {
    kind: metadataOnly ? "PartialObjectMetadataList" : `${kind}List`,
    apiVersion: metadataOnly ? "meta.k8s.io/v1" : apiVersion,
    metadata: { resourceVersion: String(revision) },
    // As on a real server, items do not repeat what they are.
    items: objects.map(({ kind: _kind, apiVersion: _apiVersion, ...rest }) => rest),
  };
}

function continued(token: string): { revision: number; after: string } {
  try {
    const { revision, after } = JSON.parse(atob(token)) as Record<string, unknown>; // checked next
    if (typeof revision === "number" && typeof after === "string") return { revision, after };
  } catch {
    // Said below.
  }
  throw StatusError.badRequest("continue key is not valid: unexpected token");
}

/** By which lists are sorted. */
function positionOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}
