import { proxyAuthorization } from "../stream/proxy_connect.ts";
import type { ProxySetting } from "../platform/proxy_settings.ts";
import type { Framing } from "../stream/http_body.ts";
import { hasMember, header, type HeaderList, type RequestHead, type ResponseHead } from "../stream/http_head.ts";
import type { Target } from "../tunnel/dialer.ts";
import { parseHostPort } from "./host_name.ts";

/** The destination of a request in absolute form (RFC 9112 §3.2.2). */
export interface AbsoluteTarget extends Target {
  /** Host and port as the client wrote them, for the `Host` field. */
  readonly authority: string;
  /** Path and query, at least `/`. */
  readonly path: string;
}

/** Scheme, user information (RFC 9110 §4.2.4 wants it ignored), authority, path with query; a fragment does not travel. */
// deno-lint-ignore no-control-regex
const absoluteForm = /^(?:http|ws):\/\/(?:[^/?#@]*@)?([^/?#@]+)((?:[/?][^#\x00-\x20\x7f]*)?)(?:#.*)?$/i;

/** Reads `http://host:port/path` (`ws` counts as `http`); undefined where it is something else, `https` included. */
export function parseAbsoluteTarget(text: string): AbsoluteTarget | undefined {
  const [, authority = "", rest = ""] = absoluteForm.exec(text) ?? [];
  const target = parseHostPort(authority, 80);
  return target && { ...target, authority, path: rest.startsWith("/") ? rest : `/${rest}` };
}

/**
 * The head that goes on to the destination: origin form (absolute form through an HTTP proxy of the user's own), `Host` from the target,
 * nothing that concerned only the connection to us (RFC 9110 §7.6.1). `Via` is not added: hawser is not to be seen.
 */
export function forwardedRequestHead(
  head: RequestHead,
  target: AbsoluteTarget,
  framing: Framing,
  httpProxy: ProxySetting | undefined,
): RequestHead {
  const headers: HeaderList = [["Host", target.authority]];
  for (const [name, value] of endToEnd(head.headers)) {
    if (!/^(host|content-length)$/i.test(name)) headers.push([name, value]);
  }
  if (framing.kind === "chunked") headers.push(["Transfer-Encoding", "chunked"]);
  else if (framing.kind === "length") headers.push(["Content-Length", String(framing.length)]);
  else if (header(head.headers, "content-length") !== undefined) headers.push(["Content-Length", "0"]);
  headers.push(...upgradeHeaders(head.headers));
  if (httpProxy) headers.push(...proxyAuthorization(httpProxy));
  return {
    method: head.method,
    target: httpProxy ? `http://${target.authority}${target.path}` : target.path,
    minor: 1,
    headers,
  };
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
  "trailer",
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
