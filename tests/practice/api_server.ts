import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Issued } from "./certificate_authority.ts";
import type { CountedRequest, Counters } from "./counters.ts";
import { discovery } from "./discovery.ts";
import type { KubeObject, Manifest } from "./kube_object.ts";
import type { Registry } from "./registry.ts";
import { requestInfo } from "./request_info.ts";
import type { RequestInfo } from "./request_info.ts";
import { representation, wantsMetadata } from "./representation.ts";
import type { Resource } from "./resource_table.ts";
import { RuntimeError } from "./runtime_error.ts";
import { fieldSelector, labelSelector } from "./selector.ts";
import type { ServerFaults } from "./server_faults.ts";
import { StatusError } from "./status_error.ts";
import type { Store } from "./store.ts";
import type { Identity, PeerCertificate, Users } from "./users.ts";
import type { Watches } from "./watches.ts";

const longestBody = 3 << 20;

/** What an {@linkcode ApiServer} needs. */
export interface ApiServerDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly users: Users;
  readonly watches: Watches;
  readonly counters: Counters;
  readonly faults: ServerFaults;
  /** Takes over an upgrade to `pods/portforward` that is allowed. Throws a StatusError to refuse it. */
  readonly portForward: (request: http.IncomingMessage, info: RequestInfo, socket: Duplex, head: Uint8Array) => void;
  /** What a pod, by its uid, has logged. */
  readonly log: (uid: string) => readonly string[];
}

/** How an {@linkcode ApiServer} is to be. */
export interface ApiServerOptions {
  readonly version: string;
  /** Keys of resources that it does not know. */
  readonly hidden: ReadonlySet<string>;
  readonly certificate: Issued;
  /** Whose client certificates it takes, PEM. */
  readonly clientAuthority: string;
}

/** HTTPS in front of the registry: authentication, authorization, Kubernetes' REST conventions. */
export class ApiServer {
  readonly #deps: ApiServerDeps;
  readonly #options: ApiServerOptions;
  readonly #server: https.Server;
  readonly #sockets = new Set<Duplex>();

  private constructor(options: ApiServerOptions, deps: ApiServerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#server = https.createServer({
      key: options.certificate.key,
      cert: options.certificate.certificate,
      ca: options.clientAuthority,
      requestCert: true,
      rejectUnauthorized: false, // a client without certificate may have a token
      keepAliveTimeout: 180_000,
    }, (request, response) => void this.#answer(request, response));
    this.#server.on("connection", (socket) => this.#keep(socket));
    this.#server.on("secureConnection", (socket) => {
      deps.counters.tlsConnections++;
      this.#keep(socket);
    });
    this.#server.on("tlsClientError", () => {}); // the client was told by TLS itself
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  static async start(options: ApiServerOptions, deps: ApiServerDeps): Promise<ApiServer> {
    const server = new ApiServer(options, deps);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject);
      server.#server.listen(0, "127.0.0.1", resolve);
    });
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // a TCP server that listens has an AddressInfo
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {}); // the client is gone; "close" follows
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const info = requestInfo(request.method!, request.url!);
    let user = "";
    const count = (status: number) => this.#count(request, info, user, status);
    try {
      const identity = this.#admit(request, info, (name) => user = name);
      if (info.verb === "watch" && info.known) {
        this.#watch(response, info, request.headers.accept);
        return count(200);
      }
      const body = await read(request);
      if (/protobuf|cbor/.test(mediaType(request))) throw unsupported(mediaType(request));
      const { status, value } = this.#dispatch(request, info, identity, body);
      count(status);
      if (typeof value === "string") response.writeHead(status, { "Content-Type": "text/plain" }).end(value);
      else send(response, status, value);
    } catch (error) {
      const status = asStatus(error);
      count(status.code);
      request.resume();
      send(response, status.code, status, status.headers);
    }
  }

  #upgrade(request: http.IncomingMessage, socket: Duplex, head: Uint8Array): void {
    const info = requestInfo(request.method!, request.url!);
    let user = "";
    try {
      this.#admit(request, info, (name) => user = name);
      if (info.resource !== "pods" || info.subresource !== "portforward") throw StatusError.unknownPath();
      this.#deps.portForward(request, info, socket, head);
      this.#count(request, info, user, 101);
    } catch (error) {
      const behind = error instanceof RuntimeError;
      const status = behind ? error : asStatus(error);
      this.#count(request, info, user, status.code);
      const body = new TextEncoder().encode(behind ? error.message : JSON.stringify(status) + "\n");
      const lines = Object.entries({
        "Content-Type": behind ? "text/plain; charset=utf-8" : "application/json",
        "Content-Length": String(body.length),
        "Connection": "close",
        ...status.headers,
      }).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`HTTP/1.1 ${status.code} ${http.STATUS_CODES[status.code] ?? ""}\r\n${lines.join("")}\r\n`);
      socket.end(body);
    }
  }

  /** Who asks, if they may. */
  #admit(request: http.IncomingMessage, info: RequestInfo, identified: (name: string) => void): Identity {
    const fault = this.#deps.faults.next(info);
    if (fault) throw fault;
    const { users } = this.#deps;
    const identity = users.authenticate(request.headers, peerCertificate(request));
    identified(identity.name);
    users.authorize(identity, info);
    const socketUpgrade = request.headers.upgrade?.toLowerCase() === "websocket";
    if (info.subresource === "portforward" && socketUpgrade && atLeast(this.#options.version, 35)) {
      users.authorize(identity, { ...info, verb: "create" });
    }
    return identity;
  }

  #count(request: http.IncomingMessage, info: RequestInfo, user: string, status: number): void {
    const { counters } = this.#deps;
    const entry: CountedRequest = {
      method: request.method!,
      path: info.path,
      query: info.query,
      verb: info.verb,
      user,
      status,
    };
    counters.requests.push(entry);
    const writes = ["create", "update", "patch", "delete", "deletecollection"].includes(info.verb);
    if (writes && info.known && status < 300 && info.subresource !== "portforward") {
      counters.writes.push(`${info.verb} ${info.resource} ${info.namespace ? `${info.namespace}/` : ""}${info.name}`);
    }
  }

  #dispatch(
    request: http.IncomingMessage,
    info: RequestInfo,
    identity: Identity,
    body: Uint8Array,
  ): { status: number; value: unknown } {
    if (!info.resource) return { status: 200, value: this.#plain(info) };
    if (info.verb === "create" && info.group.startsWith("auth")) {
      return { status: 201, value: this.#review(info, identity, json(body) as Manifest) }; // looked at field by field
    }
    const { registry } = this.#deps;
    const resource = info.known;
    if (!resource || this.#options.hidden.has(resource.key)) throw StatusError.unknownPath();
    if (info.subresource && !resource.subresources.includes(info.subresource)) throw StatusError.unknownPath();
    if (resource.namespaced && !info.namespace && (info.name || info.verb === "create")) {
      throw StatusError.unknownPath();
    }
    const namespace = resource.namespaced ? info.namespace : "";
    const represent = representation(request.headers.accept);
    const options = {
      subresource: info.subresource || undefined,
      dryRun: info.query.get("dryRun") === "All",
    };
    if (info.subresource === "portforward") throw StatusError.badRequest("Upgrade request required");
    if (info.subresource === "log") return { status: 200, value: this.#log(resource, info) };
    if (info.subresource === "scale") return { status: 200, value: this.#scale(request, resource, info, body) };
    switch (info.verb) {
      case "get":
        return { status: 200, value: represent(registry.get(resource, namespace, info.name)) };
      case "list":
        return { status: 200, value: this.#list(resource, info, request.headers.accept) };
      case "create":
        return { status: 201, value: registry.create(resource, namespace, json(body) as Manifest, options) }; // checked there
      case "update": {
        const manifest = json(body) as Manifest; // checked there
        return { status: 200, value: registry.update(resource, namespace, info.name, manifest, options) };
      }
      case "patch": {
        const type = mediaType(request);
        return { status: 200, value: registry.patch(resource, namespace, info.name, type, json(body), options) };
      }
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
    const found = discovery(info.path, this.#options.version, this.#options.hidden);
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

  #watch(response: http.ServerResponse, info: RequestInfo, accept: string | undefined): void {
    const { store, watches } = this.#deps;
    const resource = info.known!;
    if (this.#options.hidden.has(resource.key)) throw StatusError.unknownPath();
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
    return this.#deps.log(pod.metadata.uid).map((line) => line + "\n").join("");
  }

  #scale(request: http.IncomingMessage, resource: Resource, info: RequestInfo, body: Uint8Array): unknown {
    const { registry } = this.#deps;
    let object = registry.get(resource, info.namespace, info.name);
    const written = info.verb === "get" ? undefined : json(body) as { spec?: { replicas?: unknown } } | null;
    if (info.verb === "patch" && mediaType(request) === "application/json-patch+json") {
      throw StatusError.methodNotAllowed();
    }
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

function asStatus(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  // A fault of the practice cluster itself: show where.
  const why = error instanceof Error ? error.stack ?? error.message : String(error);
  return new StatusError(500, "InternalError", `Internal error occurred: ${why}`);
}

function peerCertificate(request: http.IncomingMessage): PeerCertificate | undefined {
  const socket = request.socket as TLSSocket; // all of an HTTPS server's are
  const subject = socket.getPeerCertificate()?.subject;
  if (!subject) return undefined;
  return { commonName: String(subject.CN), organizations: [subject.O ?? []].flat(), valid: socket.authorized };
}

function send(
  response: http.ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = new TextEncoder().encode(JSON.stringify(value) + "\n");
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": body.length, ...headers }).end(
    body,
  );
}

async function read(request: http.IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > longestBody) {
      throw new StatusError(413, "RequestEntityTooLarge", `Request entity too large: limit is ${longestBody}`);
    }
    chunks.push(chunk);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
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

function unsupported(type: string): StatusError {
  const message =
    `the body of the request was in an unknown format - accepted media types include: application/json, not ${type}`;
  return new StatusError(415, "UnsupportedMediaType", message);
}

function mediaType(request: http.IncomingMessage): string {
  return (request.headers["content-type"] ?? "").split(";", 1)[0]!.trim();
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

function atLeast(version: string, minor: number): boolean {
  return Number(version.split(".")[1]) >= minor;
}
