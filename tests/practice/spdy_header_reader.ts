import { createInflate } from "node:zlib";
import type { Inflate } from "node:zlib";
import { spdyDictionary } from "./spdy_dictionary.ts";

/** Longest header block that is taken, inflated; the real server bounds fields at 1 MiB. */
const longest = 1 << 20;

/** Reads the header blocks of one direction of a SPDY/3.1 session: one zlib stream for all of them, with or without SPDY's dictionary. */
export class SpdyHeaderReader {
  readonly #inflate: Inflate = createInflate({ dictionary: spdyDictionary });
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
