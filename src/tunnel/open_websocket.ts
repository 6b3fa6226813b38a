import { createHash } from "node:crypto";
import type { Access } from "../cluster/access.ts";
import { header } from "../stream/http_head.ts";
import { requestUpgrade, UpgradeError } from "./request_upgrade.ts";
import { WebSocketWire } from "./websocket_wire.ts";

/** A WebSocket to open. */
export interface WebSocketRequest {
  /** With its query, below the API server's own prefix. */
  readonly path: string;
  /** Subprotocols, one of which the server has to choose. */
  readonly protocols: readonly string[];
  /** What they are for, in messages: `the WebSocket tunnel for port-forward`. */
  readonly purpose: string;
}

/** Opens a WebSocket (RFC 6455 §4.1) to the API server. Rejects as `requestUpgrade` does. */
export async function openWebSocket(
  access: Access,
  { path, protocols, purpose }: WebSocketRequest,
  signal: AbortSignal,
): Promise<WebSocketWire> {
  const carrier = "websocket";
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  const accepted = acceptOf(key);
  const request = {
    carrier,
    path,
    headers: [
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", key],
      ["Sec-WebSocket-Protocol", protocols.join(", ")],
    ],
  } satisfies Parameters<typeof requestUpgrade>[1];
  return await requestUpgrade(access, request, ({ connection, reader, head }) => {
    if (header(head.headers, "sec-websocket-accept") !== accepted) {
      throw new UpgradeError(
        carrier,
        101,
        "",
        "the WebSocket handshake came back with a wrong key; a proxy in between may have answered it",
      );
    }
    if (!protocols.includes(header(head.headers, "sec-websocket-protocol") ?? "")) {
      throw new UpgradeError(carrier, 101, "", `the server does not know ${purpose}`);
    }
    return new WebSocketWire(connection, reader);
  }, signal);
}

/** RFC 6455 §4.2.2. Not by `crypto.subtle`, which takes another thread for it. */
function acceptOf(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}
