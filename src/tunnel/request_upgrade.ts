import type { Access } from "../cluster/access.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import type { Duplex } from "../stream/duplex.ts";
import { openBody, responseFraming } from "../stream/http_body.ts";
import { formatRequestHead, type HeaderList, parseResponseHead, type ResponseHead } from "../stream/http_head.ts";

/** What connections to the API server are upgraded to. */
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

/** What is asked for. */
export interface UpgradeRequest {
  readonly carrier: Carrier;
  /** With its query, below the API server's own prefix. */
  readonly path: string;
  readonly headers: HeaderList;
}

/** A connection that was upgraded; `reader` holds what came behind the answer. */
export interface Upgraded {
  readonly connection: Duplex;
  readonly reader: BufferedReader;
  readonly head: ResponseHead;
}

const headLimit = 64 * 1024;
const refusalLimit = 64 * 1024;

/**
 * Has a new connection to the API server upgraded. Waits for the response before anything else is sent: the API server's proxy drops what comes earlier. Gets new
 * credentials once after a 401. `check` throws where the 101 is not the one that was asked for; the connection is closed then. Rejects with
 * {@linkcode UpgradeError} or an `AccessError`.
 */
export async function requestUpgrade<T>(
  access: Access,
  request: UpgradeRequest,
  check: (upgraded: Upgraded) => T | Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  try {
    return await attempt(access, request, check, signal);
  } catch (error) {
    if (!(error instanceof UpgradeError) || error.status !== 401 || !await access.renew(signal)) throw error;
    return await attempt(access, request, check, signal);
  }
}

async function attempt<T>(
  access: Access,
  request: UpgradeRequest,
  check: (upgraded: Upgraded) => T | Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const { carrier } = request;
  const credentials = await access.headers(signal);
  const connection = await access.connect(signal);
  const abort = () => connection.reset();
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    const target = access.server.pathname.replace(/\/$/, "") + request.path;
    const headers: HeaderList = [
      ["Host", access.server.host],
      ["User-Agent", "hawser"],
      ["Connection", "Upgrade"],
      ...request.headers,
    ];
    for (const [name, value] of credentials) headers.push([name, value]);
    const method = carrier === "websocket" ? "GET" : "POST";
    await connection.write(formatRequestHead({ method, target, minor: 1, headers }));
    const reader = new BufferedReader(connection, headLimit);
    const bytes = await reader.head(headLimit);
    if (!bytes) throw new UpgradeError(carrier, 0, "", "the connection was closed instead of being upgraded");
    const head = parseResponseHead(bytes);
    if (head.status !== 101) throw await refusal(carrier, method, head, reader);
    return await check({ connection, reader, head });
  } catch (error) {
    connection.reset();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
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
