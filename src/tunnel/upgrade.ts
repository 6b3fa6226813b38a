import type { Access } from "../cluster/access.ts";
import type { PodRef } from "../cluster/directory.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import {
  formatRequestHead,
  hasMember,
  header,
  type HeaderList,
  parseResponseHead,
  type ResponseHead,
} from "../stream/http_head.ts";
import { openBody, responseFraming } from "../stream/http_body.ts";
import { WebSocketWire } from "./websocket_wire.ts";
import { plainWire, type Wire } from "./wire.ts";

/** How SPDY frames travel: inside a WebSocket (Kubernetes 1.31 and newer), or bare. */
export type Carrier = "websocket" | "spdy";

/** The API server, or a proxy before it, refused the upgrade. The message is its own words. */
export class UpgradeError extends Error {
  override readonly name = "UpgradeError";
  /** HTTP status. */
  readonly status: number;
  /** Kubernetes' reason (`NotFound`, `Forbidden` …), empty where the answer was no `Status` of Kubernetes. */
  readonly reason: string;
  readonly carrier: Carrier;
  constructor(carrier: Carrier, status: number, reason: string, message: string) {
    super(message);
    this.carrier = carrier;
    this.status = status;
    this.reason = reason;
  }
}

const headLimit = 64 * 1024;
const refusalLimit = 64 * 1024;

/**
 * Opens a port-forward session's carrier to a pod. Waits for the response before anything else is sent: the API server's proxy drops what comes
 * earlier. Gets new credentials once after a 401. Rejects with {@linkcode UpgradeError} or an `AccessError`.
 */
export async function upgrade(access: Access, pod: PodRef, carrier: Carrier, signal: AbortSignal): Promise<Wire> {
  try {
    return await attempt(access, pod, carrier, signal);
  } catch (error) {
    if (!(error instanceof UpgradeError) || error.status !== 401 || !await access.renew(signal)) throw error;
    return await attempt(access, pod, carrier, signal);
  }
}

async function attempt(access: Access, pod: PodRef, carrier: Carrier, signal: AbortSignal): Promise<Wire> {
  const credentials = await access.headers(signal);
  const connection = await access.connect(signal);
  const abort = () => connection.reset();
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    const prefix = access.server.pathname.replace(/\/$/, "");
    const path = `${prefix}/api/v1/namespaces/${pod.namespace}/pods/${pod.name}/portforward`;
    const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
    const headers: HeaderList = [["Host", access.server.host], ["User-Agent", "hawser"], ["Connection", "Upgrade"]];
    if (carrier === "websocket") {
      headers.push(
        ["Upgrade", "websocket"],
        ["Sec-WebSocket-Version", "13"],
        ["Sec-WebSocket-Key", key],
        ["Sec-WebSocket-Protocol", "SPDY/3.1+portforward.k8s.io"],
      );
    } else {
      headers.push(["Upgrade", "SPDY/3.1"], ["X-Stream-Protocol-Version", "portforward.k8s.io"], [
        "Content-Length",
        "0",
      ]);
    }
    for (const [name, value] of credentials) headers.push([name, value]);
    const method = carrier === "websocket" ? "GET" : "POST";
    await connection.write(formatRequestHead({ method, target: path, minor: 1, headers }));
    const reader = new BufferedReader(connection, headLimit);
    const bytes = await reader.head(headLimit);
    if (!bytes) throw new UpgradeError(carrier, 0, "", "the connection was closed instead of being upgraded");
    const head = parseResponseHead(bytes);
    if (head.status !== 101) throw await refusal(carrier, method, head, reader);
    if (carrier === "spdy") {
      if (!hasMember(head.headers, "upgrade", "spdy/3.1")) {
        throw new UpgradeError(carrier, 101, "", "the answer upgrades to something else than SPDY/3.1");
      }
      return plainWire(connection, (into) => reader.read(into));
    }
    if (header(head.headers, "sec-websocket-accept") !== await acceptOf(key)) {
      throw new UpgradeError(
        carrier,
        101,
        "",
        "the WebSocket handshake came back with a wrong key; a proxy in between may have answered it",
      );
    }
    if (header(head.headers, "sec-websocket-protocol") !== "SPDY/3.1+portforward.k8s.io") {
      throw new UpgradeError(carrier, 101, "", "the server does not know the WebSocket tunnel for port-forward");
    }
    return new WebSocketWire(connection, reader);
  } catch (error) {
    connection.reset();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** RFC 6455 §4.2.2. */
async function acceptOf(key: string): Promise<string> {
  const text = new TextEncoder().encode(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest("SHA-1", text))));
}

async function refusal(
  carrier: Carrier,
  method: string,
  head: ResponseHead,
  reader: BufferedReader,
): Promise<UpgradeError> {
  const body = openBody(reader, responseFraming(head, method));
  const bytes = new Uint8Array(refusalLimit);
  let length = 0;
  try {
    for (let count; length < refusalLimit && (count = await body.read(bytes.subarray(length))) !== null;) {
      length += count;
    }
  } catch {
    // A refusal that breaks off is one all the same; what came of its text is shown.
  }
  const text = new TextDecoder().decode(bytes.subarray(0, length)).trim();
  const status = parseStatus(text);
  const message = status?.message || (/^[^<{]/.test(text) ? text.slice(0, 300) : "") || head.reason ||
    "no reason given";
  return new UpgradeError(carrier, head.status, status?.reason ?? "", message);
}

function parseStatus(text: string): { message: string; reason: string } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("kind" in value) || value.kind !== "Status") return undefined;
    return {
      message: "message" in value && typeof value.message === "string" ? value.message : "",
      reason: "reason" in value && typeof value.reason === "string" ? value.reason : "",
    };
  } catch {
    return undefined;
  }
}
