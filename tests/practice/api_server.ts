import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Issued } from "./certificate_authority.ts";
import type { CountedRequest, Counters } from "./counters.ts";
import type { KubeObject } from "./kube_object.ts";
import { requestInfo } from "./request_info.ts";
import type { RequestInfo } from "./request_info.ts";
import type { Rest } from "./rest.ts";
import { RuntimeError } from "./runtime_error.ts";
import type { ServerFaults } from "./server_faults.ts";
import { StatusError } from "./status_error.ts";
import type { Identity, PeerCertificate, Users } from "./users.ts";

const longestBody = 3 << 20;

/** What an {@linkcode ApiServer} needs. */
export interface ApiServerDeps {
  readonly rest: Rest;
  readonly users: Users;
  readonly counters: Counters;
  readonly faults: ServerFaults;
  /** What takes over upgrades to a subresource of pods that are allowed. Throws a StatusError to refuse one. */
  readonly upgrades: ReadonlyMap<string, (request: http.IncomingMessage, info: RequestInfo, socket: Duplex) => void>;
}

/** How an {@linkcode ApiServer} is to be. */
export interface ApiServerOptions {
  readonly version: string;
  readonly certificate: Issued;
  /** Whose client certificates it takes, PEM. */
  readonly clientAuthority: string;
}

/** HTTPS, authentication, authorization, upgrades; what is then asked for is {@linkcode Rest}'s affair. */
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
    // What came before the answer is lost, as it is where Go's servers hand a connection over.
    this.#server.on("upgrade", (request, socket, _lost) => this.#upgrade(request, socket));
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
    const count = (status: number, name = info.name) => this.#count(request, { ...info, name }, user, status);
    try {
      const identity = this.#admit(request, info, (name) => user = name);
      const { accept } = request.headers;
      if (info.verb === "watch" && info.known) {
        this.#deps.rest.watch(response, info, accept);
        return count(200);
      }
      const type = mediaType(request);
      const { status, value } = this.#deps.rest.answer({ info, identity, accept, type, body: await read(request) });
      count(status, (value as Partial<KubeObject>).metadata?.name); // text has none, and reviews have none
      if (typeof value === "string") response.writeHead(status, { "Content-Type": "text/plain" }).end(value);
      else send(response, status, value);
    } catch (error) {
      const status = asStatus(error);
      count(status.code);
      request.resume();
      send(response, status.code, status, status.headers);
    }
  }

  #upgrade(request: http.IncomingMessage, socket: Duplex): void {
    const info = requestInfo(request.method!, request.url!);
    let user = "";
    try {
      this.#admit(request, info, (name) => user = name);
      const takeOver = info.resource === "pods" ? this.#deps.upgrades.get(info.subresource) : undefined;
      if (!takeOver) throw StatusError.unknownPath();
      takeOver(request, info, socket);
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
    if (this.#deps.upgrades.has(info.subresource) && socketUpgrade && atLeast(this.#options.version, 35)) {
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
    if (writes && info.known && status < 300 && !this.#deps.upgrades.has(info.subresource)) {
      counters.writes.push(`${info.verb} ${info.resource} ${info.namespace ? `${info.namespace}/` : ""}${info.name}`);
    }
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

function mediaType(request: http.IncomingMessage): string {
  return (request.headers["content-type"] ?? "").split(";", 1)[0]!.trim();
}

function atLeast(version: string, minor: number): boolean {
  return Number(version.split(".")[1]) >= minor;
}
