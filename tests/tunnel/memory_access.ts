import { createHash } from "node:crypto";
import type { Access } from "../../src/cluster/access.ts";
import { BufferedReader } from "../../src/stream/buffered_reader.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { header, parseRequestHead, type RequestHead } from "../../src/stream/http_head.ts";
import { duplexPair } from "../stream/duplex_pair.ts";
import { SpdyServer } from "./spdy_server.ts";
import { serverWebSocket } from "./websocket_frames.ts";

/** What the API server does with a request: upgrades it, says nothing, or sends this text (one character, one byte) and hangs up. */
export type Answer = "upgrade" | "silence" | string;

/** A `Status` of Kubernetes as an HTTP answer. */
export function statusAnswer(code: number, reason: string, message: string): string {
  const body = JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", message, reason, code });
  return `HTTP/1.1 ${code} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** The headers of a 101 for a request as a server sends them. */
export function acceptance(request: RequestHead): string {
  const key = header(request.headers, "sec-websocket-key");
  if (key === undefined) {
    return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n" +
      "X-Stream-Protocol-Version: portforward.k8s.io\r\n\r\n";
  }
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
    `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${
      header(request.headers, "sec-websocket-protocol")
    }\r\n\r\n`;
}

/** Access to an API server in memory, whose port-forward sessions end in a {@linkcode SpdyServer} each. */
export class MemoryAccess implements Access {
  readonly context = "test";
  readonly namespace = "default";
  readonly user = "tester";
  readonly server: URL;
  /** Heads of all requests, in order. */
  readonly requests: RequestHead[] = [];
  /** The sessions that stand or stood, each with its pod's name. */
  readonly sessions: Array<{ readonly pod: string; readonly server: SpdyServer }> = [];
  /** Our ends of all connections that were opened. */
  readonly connections: Array<{ readonly closed: boolean }> = [];
  renewals = 0;
  token = "first";
  answer: (request: RequestHead) => Answer = () => "upgrade";
  onSession: (pod: string, server: SpdyServer) => void = () => {};
  connectError: Error | undefined;
  renews = true;

  constructor(server = "https://cluster.test:6443") {
    this.server = new URL(server);
  }

  connect(signal: AbortSignal): Promise<Duplex> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.connectError) return Promise.reject(this.connectError);
    const [client, far] = duplexPair(1024 * 1024);
    this.connections.push(client);
    this.#serve(far).catch(() => {});
    return Promise.resolve(client);
  }

  headers(_signal: AbortSignal): Promise<ReadonlyArray<readonly [string, string]>> {
    return Promise.resolve([["Authorization", `Bearer ${this.token}`]]);
  }

  renew(_signal: AbortSignal): Promise<boolean> {
    this.renewals++;
    this.token = "second";
    return Promise.resolve(this.renews);
  }

  async #serve(far: Duplex): Promise<void> {
    const reader = new BufferedReader(far);
    const bytes = await reader.head();
    if (!bytes) return;
    const request = parseRequestHead(bytes);
    this.requests.push(request);
    const answer = this.answer(request);
    if (answer === "silence") return;
    const text = answer === "upgrade" ? acceptance(request) : answer;
    await far.write(Uint8Array.from(text, (each) => each.charCodeAt(0)));
    if (answer !== "upgrade") return void await far.closeWrite();
    const pod = /\/pods\/([^/]+)\/portforward$/.exec(request.target)?.[1] ?? "";
    const carrier = request.method === "GET" ? serverWebSocket(far, reader) : far;
    const server = new SpdyServer(carrier);
    this.sessions.push({ pod, server });
    this.onSession(pod, server);
  }
}
