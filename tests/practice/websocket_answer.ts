import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { StatusError } from "./status_error.ts";

/** The headers that agree to a WebSocket (RFC 6455 §4.2.2) with the subprotocol that `choose` takes of those offered. Throws a StatusError where none is asked for. */
export function websocketAnswer(
  request: IncomingMessage,
  choose: (offered: readonly string[]) => string,
): Record<string, string> {
  const key = request.headers["sec-websocket-key"];
  if (request.method !== "GET" || !key) {
    throw StatusError.badRequest("websocket: the client is not using the websocket protocol");
  }
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((word) => word.trim());
  const accept = createHash("sha1").update(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");
  return { "Upgrade": "websocket", "Sec-WebSocket-Accept": accept, "Sec-WebSocket-Protocol": choose(offered) };
}
