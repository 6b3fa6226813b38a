import { header, type RequestHead } from "../stream/http_head.ts";
import { equalSecret } from "../platform/equal_secret.ts";
import { errorPage, type Page, page } from "../stream/error_page.ts";
import { parseHostPort } from "./host_name.ts";

/** What a page is asked. */
export interface ControlRequest {
  readonly query: URLSearchParams;
  /** At most {@linkcode controlBodyLimit} bytes. */
  readonly body: Uint8Array;
}

/** A page of the tool's own, such as `/status`. */
export interface ControlPage {
  /** Served without the session's token; only for what holds no secret and changes nothing. */
  readonly open?: boolean;
  respond(request: ControlRequest): ControlAnswer | Promise<ControlAnswer>;
}

/** What a page answers. */
export interface ControlAnswer {
  /** 200 by default. */
  readonly status?: number;
  /** Media type, such as `application/json`. */
  readonly type: string;
  readonly text: string;
}

/** Bytes that the body of a request for a page may have. */
export const controlBodyLimit = 65536;

/** The tool's own pages and what guards them. */
export interface ControlPagesOptions {
  /** By method and path: `GET /status`. */
  readonly pages: Readonly<Record<string, ControlPage>>;
  /** The session's secret; as `Authorization: Bearer TOKEN` or `?token=TOKEN`. */
  readonly token: string;
  /** Ours. */
  readonly port: number;
}

/**
 * Answers a request in origin form, which only the tool's own pages have. Web sites are kept out by the `Host` check (they can make a browser
 * ask under a name of theirs that resolves to loopback) and by the token, which they do not know.
 */
export async function controlPage(
  head: RequestHead,
  body: Uint8Array,
  { pages, token, port }: ControlPagesOptions,
): Promise<Page> {
  const refuse = (status: number, sentence: string) => errorPage(status, sentence, head.headers);
  if (!isOurHost(header(head.headers, "host"), port)) {
    return refuse(403, `This is hawser's proxy. Its own pages are at http://127.0.0.1:${port} only`);
  }
  const [path = "", search = ""] = head.target.split("?", 2);
  const query = new URLSearchParams(search);
  const method = head.method === "HEAD" ? "GET" : head.method;
  const found = pages[`${method} ${path}`];
  if (!found) {
    const others = Object.keys(pages).some((key) => key.endsWith(` ${path}`));
    return others ? refuse(405, `${path} does not take ${head.method}`) : refuse(
      404,
      `hawser has no page here. It is a proxy: set http://127.0.0.1:${port} as your program's HTTP proxy`,
    );
  }
  const bearer = /^Bearer +(.+)$/i.exec(header(head.headers, "authorization") ?? "")?.[1];
  if (!found.open && !equalSecret(token, bearer ?? query.get("token") ?? "")) {
    return refuse(
      403,
      `${path} asks for the session's token, which "hawser status" and "hawser disconnect" send by themselves`,
    );
  }
  const answer = await found.respond({ query, body });
  return page(answer.status ?? 200, answer.type, answer.text);
}

function isOurHost(host: string | undefined, port: number): boolean {
  const named = parseHostPort(host ?? "", 80);
  return named?.port === port && ["127.0.0.1", "localhost", "::1"].includes(named.host.toLowerCase());
}
