import { openBody, requestFraming } from "../../src/stream/http_body.ts";
import { parseRequestHead } from "../../src/stream/http_head.ts";
import type { End } from "../stream/end.ts";
import { readAll } from "../stream/scripted_source.ts";

/** A program that answers every HTTP/1 request with its own name, the request line, and how long the body was: `origin GET /x 0`. */
export function speakHttp(name: string): (end: End) => Promise<void> {
  return async (end) => {
    for (let bytes; (bytes = await end.reader.head()) !== null;) {
      const head = parseRequestHead(bytes);
      const { length } = await readAll(openBody(end.reader, requestFraming(head)));
      const text = `${name} ${head.method} ${head.target} ${length}`;
      await end.send(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${head.method === "HEAD" ? "" : text}`);
    }
  };
}
