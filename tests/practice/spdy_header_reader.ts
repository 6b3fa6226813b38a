import { createInflate } from "node:zlib";
import type { Inflate } from "node:zlib";

/** Longest header block that is taken, inflated; the real server bounds fields at 1 MiB. */
const longest = 1 << 20;

/** Reads the header blocks of one direction of a SPDY/3.1 session: one zlib stream for all of them, with or without SPDY's dictionary. */
export class SpdyHeaderReader {
  readonly #inflate: Inflate = createInflate({ dictionary: dictionary() });
  #out: Uint8Array[] = [];
  #length = 0;
  #failure: Error | undefined;
  /** Whoever waits for a block to be inflated. Node does not call back after a damaged one. */
  #wake: () => void = () => {};

  constructor() {
    this.#inflate.on("data", (chunk: Uint8Array) => {
      this.#out.push(chunk);
      this.#length += chunk.length;
      if (this.#length > longest) this.#inflate.destroy(new RangeError(`Header block is longer than ${longest} bytes`));
    });
    this.#inflate.on("error", (error: Error) => {
      this.#failure = error;
      this.#wake();
    });
  }

  /** The headers of one block. Rejects when it is damaged; the session cannot go on then. Not to be called again before it settles. */
  async read(block: Uint8Array): Promise<Map<string, string>> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (this.#failure) resolve();
      else this.#inflate.write(block, () => resolve());
    });
    if (this.#failure) throw this.#failure;
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#out) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    this.#out = [];
    this.#length = 0;
    return parse(bytes);
  }

  close(): void {
    this.#inflate.destroy();
    this.#wake();
  }
}

function parse(bytes: Uint8Array): Map<string, string> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const number = () => {
    const value = view.getUint32(at); // throws a RangeError beyond the end
    at += 4;
    return value;
  };
  const text = () => {
    const length = number();
    if (length > bytes.length - at) throw new RangeError("Header field is longer than its block");
    at += length;
    return new TextDecoder().decode(bytes.subarray(at - length, at));
  };
  const headers = new Map<string, string>();
  const count = number();
  if (count > 1000) throw new RangeError(`Header block has ${count} headers`);
  for (let i = 0; i < count; i++) headers.set(text().toLowerCase(), text());
  return headers;
}

/** SPDY/3's dictionary (draft-mbelshe-httpbis-spdy-00, section 2.6.10.1): words with their length before them, then loose text. */
function dictionary(): Uint8Array {
  const words =
    ("options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization " +
      "cache-control connection content-base content-encoding content-language content-length content-location content-md5 " +
      "content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range " +
      "if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer " +
      "retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status")
      .split(" ").concat("200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin");
  const loose = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505" +
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden" +
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable" +
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT" +
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,public" +
    "privatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
  const length = (word: string) => String.fromCharCode(0, 0, 0, word.length);
  return Uint8Array.from(words.map((word) => length(word) + word).join("") + loose, (c) => c.charCodeAt(0));
}
