import type { Framing } from "./http_body.ts";
import { hasMember, header, type HeaderList, type ResponseHead } from "./http_head.ts";

/**
 * The headers of a request that go on to its destination: nothing that concerned only the connection to us (RFC 9110 §7.6.1), and the
 * body announced as it will be sent.
 */
export function forwardedHeaders(headers: Readonly<HeaderList>, framing: Framing): HeaderList {
  const forwarded = endToEnd(headers).filter(([name]) => !/^content-length$/i.test(name));
  if (framing.kind === "chunked") forwarded.push(["Transfer-Encoding", "chunked"]);
  else if (framing.kind === "length") forwarded.push(["Content-Length", String(framing.length)]);
  else if (header(headers, "content-length") !== undefined) forwarded.push(["Content-Length", "0"]);
  // Trailers are passed on, so whoever waits for them may be told (RFC 9110 §10.1.4).
  if (hasMember(headers, "te", "trailers")) forwarded.push(["Connection", "TE"], ["TE", "trailers"]);
  forwarded.push(...upgradeHeaders(headers));
  return forwarded;
}

/** The head that goes back to the client. `framing` is how its body will be sent to the client, `persistent` whether the connection lives on. */
export function forwardedResponseHead(
  head: ResponseHead,
  framing: Framing,
  client: { readonly minor: number; readonly persistent: boolean },
): ResponseHead {
  const headers = endToEnd(head.headers);
  if (framing.kind === "chunked") headers.push(["Transfer-Encoding", "chunked"]);
  if (head.status === 101) headers.push(...upgradeHeaders(head.headers));
  else if (head.status >= 200 && !client.persistent) headers.push(["Connection", "close"]);
  else if (head.status >= 200 && client.minor === 0) headers.push(["Connection", "keep-alive"]);
  return { ...head, minor: 1, headers };
}

/** Whether a request asks to turn the connection into another protocol that we pass on. */
export function asksForUpgrade(head: { readonly headers: Readonly<HeaderList> }): boolean {
  return upgradeHeaders(head.headers).length > 0;
}

/** `h2c` is left out: its `HTTP2-Settings` end here with the connection, and a request without it is served as HTTP/1.1 all the same. */
function upgradeHeaders(headers: Readonly<HeaderList>): HeaderList {
  const upgrade = header(headers, "upgrade");
  if (upgrade === undefined || !hasMember(headers, "connection", "upgrade") || /\bh2c\b/i.test(upgrade)) return [];
  return [["Connection", "Upgrade"], ["Upgrade", upgrade]];
}

const hopByHop = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
];

/** What a `Connection` field may not take away: without them the message would mean another one. */
const indispensable = new Set(["host", "content-length", "cookie", "authorization"]);

function endToEnd(headers: Readonly<HeaderList>): HeaderList {
  const dropped = new Set(hopByHop);
  for (const option of (header(headers, "connection") ?? "").split(",")) {
    const name = option.trim().toLowerCase();
    if (!indispensable.has(name)) dropped.add(name);
  }
  return headers.filter(([name]) => !dropped.has(name.toLowerCase()));
}
