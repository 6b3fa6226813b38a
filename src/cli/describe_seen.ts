import type { Seen } from "../agent/protocol.ts";
import { byteSize } from "./byte_size.ts";

/**
 * What came, for people: `<- 10.244.0.7 GET /orders 200, 12 ms, 1.3 KiB`. Whatever an agent sends, it is one line without control characters, of a few hundred
 * characters.
 */
export function describeSeen(seen: Seen): string {
  return `<- ${plain(seen.remote, 64)} ${what(seen)}`;
}

function what(seen: Seen): string {
  switch (seen.kind) {
    case "request": {
      const { method, path, status, ms, bytes } = seen;
      const answer = status === 0 ? "no answer: the client left" : String(status);
      return `${plain(method, 40)} ${plain(path, 400)} ${answer}, ${milliseconds(ms)}, ${byteSize(bytes)}`;
    }
    case "opened":
      return "connection opened";
    case "closed": {
      const { ms, sent, received } = seen;
      return `connection closed after ${milliseconds(ms)}, ${byteSize(sent)} in, ${byteSize(received)} out`;
    }
  }
}

function milliseconds(ms: number): string {
  return ms < 10_000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`;
}

function plain(text: string, limit: number): string {
  return text.slice(0, limit).replace(/[^\x20-\x7e]/g, "?");
}
