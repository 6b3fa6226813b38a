import { header, type HeaderList, type ResponseHead } from "./http_head.ts";

/** A whole answer of the proxy's own. */
export interface Page {
  readonly head: ResponseHead;
  readonly body: Uint8Array;
}

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  407: "Proxy Authentication Required",
  413: "Content Too Large",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** An answer that says what is wrong: HTML where the request prefers it (browsers do), plain text for everybody else. */
export function errorPage(
  status: number,
  sentence: string,
  request: Readonly<HeaderList>,
  headers: HeaderList = [],
): Page {
  const reason = reasons[status] ?? "Error";
  return prefersHtml(header(request, "accept"))
    ? page(status, "text/html; charset=utf-8", html(`${status} ${reason}`, sentence), headers)
    : page(status, "text/plain; charset=utf-8", `${sentence}\n`, headers);
}

/** An answer with a body of a given media type. */
export function page(status: number, type: string, text: string, headers: HeaderList = []): Page {
  const body = new TextEncoder().encode(text);
  return {
    head: {
      minor: 1,
      status,
      reason: reasons[status] ?? "OK",
      headers: [
        ["Content-Type", type],
        ["Content-Length", String(body.length)],
        ["Cache-Control", "no-store"],
        ["X-Content-Type-Options", "nosniff"],
        ...headers,
      ],
    },
    body,
  };
}

/** RFC 9110 §12.5.1, as far as it matters here: HTML is named, and neither plain text nor anything at all is wanted more. */
function prefersHtml(accept: string | undefined): boolean {
  const quality = (type: string) => {
    const range = accept?.split(",").find((each) => each.split(";", 1)[0]?.trim().toLowerCase() === type);
    if (range === undefined) return 0;
    return Number(/;\s*q\s*=\s*([0-9.]+)/i.exec(range)?.[1] ?? 1);
  };
  const wanted = quality("text/html");
  return wanted > 0 && wanted >= quality("text/plain") && wanted >= quality("*/*");
}

function html(title: string, sentence: string): string {
  const text = (value: string) => value.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${text(title)}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44em; margin: 15vh auto 0; padding: 0 1em; color-scheme: light dark }
p { white-space: pre-wrap; overflow-wrap: anywhere }
small { opacity: .7 }
</style>
<h1>${text(title)}</h1>
<p>${text(sentence)}</p>
<small>This answer is hawser's, not a service's.</small>
</html>
`;
}
