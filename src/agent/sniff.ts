import { latin1 } from "../stream/http_head.ts";

/** What a client speaks. `other` is everything that is not HTTP in clear text: TLS, databases, message brokers. */
export type Protocol = "http1" | "http2" | "other";

/** RFC 9113 §3.4. */
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** Bytes that a request line may have. */
const lineLimit = 16384;

/** The whole line, and any beginning of it. CONNECT makes a tunnel, not a request. */
const requestLine = /^(?!CONNECT )[A-Z][A-Z_-]* [^\s]+ HTTP\/1\.[0-9]\r?$/;
const begunLine = /^[A-Z][A-Z_-]{0,31}(?: [^\s]*(?: [HTP/1.0-9]{0,8}\r?)?)?$/;

/** Tells from a client's first bytes what it speaks; undefined while that takes more of them. */
export function sniff(bytes: Uint8Array): Protocol | undefined {
  const text = latin1(bytes.subarray(0, lineLimit));
  if (text.startsWith(preface)) return "http2";
  if (preface.startsWith(text)) return undefined;
  const end = text.indexOf("\n");
  if (end >= 0) return requestLine.test(text.slice(0, end)) ? "http1" : "other";
  return text.length < lineLimit && begunLine.test(text) ? undefined : "other";
}
