import { proxyAuthorization } from "../stream/proxy_connect.ts";
import type { ProxySetting } from "../platform/proxy_settings.ts";
import { forwardedHeaders } from "../stream/forwarded_head.ts";
import type { Framing } from "../stream/http_body.ts";
import type { HeaderList, RequestHead } from "../stream/http_head.ts";
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
  const headers: HeaderList = [
    ["Host", target.authority],
    ...forwardedHeaders(head.headers, framing).filter(([name]) => !/^host$/i.test(name)),
  ];
  if (httpProxy) headers.push(...proxyAuthorization(httpProxy));
  return {
    method: head.method,
    target: httpProxy ? `http://${target.authority}${target.path}` : target.path,
    minor: 1,
    headers,
  };
}
