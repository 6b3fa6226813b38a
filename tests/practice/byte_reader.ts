/** Cuts a stream of chunks into pieces of wanted lengths. */
export class ByteReader {
  readonly #read: () => Promise<Uint8Array | null>;
  #chunk: Uint8Array = new Uint8Array();

  constructor(read: () => Promise<Uint8Array | null>) {
    this.#read = read;
  }

  /** At least one byte, at most `most`; null at the end. */
  async some(most: number): Promise<Uint8Array | null> {
    while (this.#chunk.length === 0) {
      const next = await this.#read();
      if (!next) return null;
      this.#chunk = next;
    }
    const piece = this.#chunk.subarray(0, most);
    this.#chunk = this.#chunk.subarray(piece.length);
    return piece;
  }

  /** So many bytes; null if the end comes before. */
  async exactly(length: number): Promise<Uint8Array | null> {
    if (this.#chunk.length >= length) {
      const piece = this.#chunk.subarray(0, length);
      this.#chunk = this.#chunk.subarray(length);
      return piece;
    }
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const piece = await this.some(length - at);
      if (!piece) return null;
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }
}
