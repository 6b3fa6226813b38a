import { type BufferedReader, UnexpectedEnd } from "./buffered_reader.ts";
import {
  hasMember,
  header,
  type HeaderList,
  HeadError,
  latin1,
  parseField,
  type RequestHead,
  type ResponseHead,
} from "./http_head.ts";

/** How the end of a message's body is found (RFC 9112 §6.3). */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  /** Responses only: the body ends with the connection. */
  | { readonly kind: "close" };

/** Framing of a request's body. Throws {@linkcode HeadError} on what could be read in two ways (request smuggling). */
export function requestFraming(head: RequestHead): Framing {
  return framing(head.headers, head.minor) ?? { kind: "none" };
}

/** Framing of the body of a response to `method`. Throws {@linkcode HeadError}. */
export function responseFraming(head: ResponseHead, method: string): Framing {
  const bodiless = method === "HEAD" || head.status < 200 || head.status === 204 || head.status === 304 ||
    (method === "CONNECT" && head.status < 300);
  if (bodiless) return { kind: "none" };
  return framing(head.headers, head.minor) ?? { kind: "close" };
}

/** A body as its bytes, framing removed. */
export interface Body {
  /** Gives null at the body's end and leaves what follows in the reader. */
  read(into: Uint8Array): Promise<number | null>;
  /** What came behind a chunked body, once it has ended. Without the fields that may not stand there (RFC 9110 §6.5.1). */
  readonly trailers: Readonly<HeaderList>;
}

/** Opens the body that follows a head. */
export function openBody(reader: BufferedReader, framing: Framing): Body {
  switch (framing.kind) {
    case "none":
      return { read: () => Promise.resolve(null), trailers: [] };
    case "close":
      return { read: (into) => reader.read(into), trailers: [] };
    case "length":
      return new LengthBody(reader, framing.length);
    case "chunked":
      return new ChunkedBody(reader);
  }
}

class LengthBody implements Body {
  readonly trailers = [];
  readonly #reader: BufferedReader;
  #left: number;
  constructor(reader: BufferedReader, length: number) {
    this.#reader = reader;
    this.#left = length;
  }
  async read(into: Uint8Array): Promise<number | null> {
    if (this.#left === 0) return null;
    const count = await this.#reader.read(into.length > this.#left ? into.subarray(0, this.#left) : into);
    if (count === null) throw new UnexpectedEnd(`an HTTP body, ${this.#left} bytes before its end`);
    this.#left -= count;
    return count;
  }
}

/** Trailers that would change how the message is read or where it goes. */
const neverTrailers = /^(content-length|transfer-encoding|connection|te|trailer|host|upgrade)$/i;

/** RFC 9112 §7.1. Extensions are dropped; they and trailers are bounded. */
class ChunkedBody implements Body {
  readonly trailers: HeaderList = [];
  readonly #reader: BufferedReader;
  #left = 0;
  #first = true;
  #done = false;
  constructor(reader: BufferedReader) {
    this.#reader = reader;
  }
  async read(into: Uint8Array): Promise<number | null> {
    if (this.#left === 0 && !this.#done) await this.#next();
    if (this.#done) return null;
    const count = await this.#reader.read(into.length > this.#left ? into.subarray(0, this.#left) : into);
    if (count === null) throw new UnexpectedEnd("a chunk of an HTTP body");
    this.#left -= count;
    return count;
  }
  async #next(): Promise<void> {
    if (!this.#first && (await this.#reader.line(2)).length > 0) {
      throw new HeadError("Chunk that is longer than it says");
    }
    this.#first = false;
    const line = String.fromCharCode(...await this.#reader.line(1024));
    const size = /^([0-9a-fA-F]{1,12})[ \t]*(;|$)/.exec(line);
    if (!size?.[1]) throw new HeadError(`Not a chunk size: ${JSON.stringify(line.slice(0, 40))}`);
    this.#left = parseInt(size[1], 16);
    if (this.#left > 0) return;
    for (let total = 0;;) {
      const trailer = await this.#reader.line(8192);
      if (trailer.length === 0) break;
      total += trailer.length;
      if (total > 16384) throw new HeadError("Trailers of more than 16384 bytes");
      const field = parseField(latin1(trailer));
      if (!neverTrailers.test(field[0])) this.trailers.push(field);
    }
    this.#done = true;
  }
}

function framing(headers: RequestHead["headers"], minor: number): Framing | undefined {
  const length = header(headers, "content-length");
  const coding = header(headers, "transfer-encoding");
  if (coding !== undefined) {
    if (length !== undefined) throw new HeadError("Both Content-Length and Transfer-Encoding (RFC 9112 §6.1)");
    if (minor === 0) throw new HeadError("Transfer-Encoding in HTTP/1.0");
    if (coding.toLowerCase() !== "chunked") {
      throw new HeadError(`Transfer-Encoding ${JSON.stringify(coding)} is not known, only "chunked" is`);
    }
    return { kind: "chunked" };
  }
  if (length === undefined) return undefined;
  // The same length repeated is allowed (RFC 9110 §8.6), different ones are an attack or a fault.
  const values = new Set(length.split(",").map((each) => each.trim()));
  const [value = ""] = values;
  if (values.size !== 1 || !/^[0-9]{1,15}$/.test(value)) {
    throw new HeadError(`Not a Content-Length: ${JSON.stringify(length.slice(0, 40))}`);
  }
  return value === "0" ? { kind: "none" } : { kind: "length", length: Number(value) };
}

/** True where the connection may carry another message after this one (RFC 9112 §9.3). */
export function keepsAlive(head: { readonly minor: number; readonly headers: RequestHead["headers"] }): boolean {
  if (hasMember(head.headers, "connection", "close")) return false;
  return head.minor > 0 || hasMember(head.headers, "connection", "keep-alive");
}
