/** Reads a stream of JSON values, one on each line, as watches send them. */
export class JsonLines {
  readonly #source: { read(into: Uint8Array): Promise<number | null> };
  readonly #limit: number;
  #bytes = new Uint8Array(16384);
  #start = 0;
  #end = 0;

  /** `limit` bounds one line, in bytes. */
  constructor(source: { read(into: Uint8Array): Promise<number | null> }, limit: number) {
    this.#source = source;
    this.#limit = limit;
  }

  /**
   * The next value, as the type the sender promises; null at the end. Empty lines are passed over. Throws a RangeError for a line beyond the limit, a
   * SyntaxError for one that is not JSON, and whatever the source throws.
   */
  async next<T>(): Promise<T | null> {
    for (;;) {
      const line = await this.#line();
      if (line === null) return null;
      const text = new TextDecoder().decode(line).trim();
      if (text !== "") return JSON.parse(text) as T;
    }
  }

  /** A view that is valid until the next call. What comes after the last line feed is no line: it was cut off. */
  async #line(): Promise<Uint8Array | null> {
    for (let seen = this.#start;;) {
      const at = this.#bytes.subarray(0, this.#end).indexOf(10, seen);
      if (at >= 0) {
        const line = this.#bytes.subarray(this.#start, at);
        this.#start = at + 1;
        return line;
      }
      if (this.#end - this.#start > this.#limit) throw new RangeError(`a line is longer than ${this.#limit} bytes`);
      this.#makeRoom();
      seen = this.#end;
      const count = await this.#source.read(this.#bytes.subarray(this.#end));
      if (count === null) return null;
      this.#end += count;
    }
  }

  #makeRoom(): void {
    const used = this.#end - this.#start;
    if (used === 0) this.#start = this.#end = 0;
    if (this.#end < this.#bytes.length) return;
    if (used > this.#bytes.length / 2) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes.subarray(this.#start, this.#end));
      this.#bytes = grown;
    } else this.#bytes.copyWithin(0, this.#start, this.#end);
    this.#start = 0;
    this.#end = used;
  }
}
