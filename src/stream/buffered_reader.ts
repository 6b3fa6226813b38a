import type { Duplex } from "./duplex.ts";

/** The stream ended in the middle of something that announced more. */
export class UnexpectedEnd extends Error {
  override readonly name = "UnexpectedEnd";
  constructor(wanted: string) {
    super(`The connection ended in the middle of ${wanted}`);
  }
}

/**
 * Reads structured input from a byte stream without ever holding more than `capacity` bytes. What is not consumed stays readable, so
 * that a connection can be handed on after its head was parsed.
 */
export class BufferedReader {
  readonly #source: Pick<Duplex, "read">;
  #bytes: Uint8Array;
  #start = 0;
  #end = 0;
  /** The last read took all the room there was: more would have come. */
  #filled = false;

  /** `capacity` bounds `exact`, `head` and `fill`; it is allocated on first use. */
  constructor(source: Pick<Duplex, "read">, readonly capacity: number = 16384) {
    this.#source = source;
    this.#bytes = new Uint8Array(0);
  }

  /** The bytes read and not yet consumed; a view that is valid until the next call. */
  get buffered(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** Reads more behind what is buffered; false at the end of the stream. Throws a RangeError when `capacity` bytes are buffered already. */
  async fill(): Promise<boolean> {
    this.#makeRoom();
    const room = this.#bytes.subarray(this.#end);
    const count = await this.#source.read(room);
    if (count === null) return false;
    this.#end += count;
    this.#filled = count === room.length;
    return true;
  }

  /** Drops the first `count` buffered bytes. */
  consume(count: number): void {
    if (count > this.#end - this.#start) {
      throw new RangeError(`Cannot consume ${count} bytes of ${this.#end - this.#start}`);
    }
    this.#start += count;
  }

  /** Reads as `Duplex.read` does: buffered bytes first, then straight from the stream. */
  async read(into: Uint8Array): Promise<number | null> {
    const buffered = this.#end - this.#start;
    if (buffered === 0) return await this.#source.read(into);
    const count = Math.min(buffered, into.length);
    into.set(this.#bytes.subarray(this.#start, this.#start + count));
    this.#start += count;
    return count;
  }

  /** Reads and consumes exactly `count` bytes (at most `capacity`); a view that is valid until the next call. Throws {@linkcode UnexpectedEnd}. */
  async exact(count: number, what: string = "a message"): Promise<Uint8Array> {
    if (count > this.capacity) throw new RangeError(`${count} bytes are more than ${this.capacity}`);
    while (this.#end - this.#start < count) if (!await this.fill()) throw new UnexpectedEnd(what);
    const view = this.#bytes.subarray(this.#start, this.#start + count);
    this.#start += count;
    return view;
  }

  /**
   * Reads and consumes an HTTP head: everything through the first empty line (CR LF CR LF, or bare LF LF). Null when the stream ends before
   * its first byte. Throws a RangeError when it is longer than `limit` (at most `capacity`), {@linkcode UnexpectedEnd} when it breaks off.
   */
  async head(limit: number = this.capacity): Promise<Uint8Array | null> {
    for (let seen = 0;;) {
      const end = endOfHead(this.buffered, seen);
      if (end > 0 && end <= limit) return await this.exact(end);
      seen = this.#end - this.#start;
      if (seen >= limit) throw new RangeError(`HTTP head of more than ${limit} bytes`);
      if (await this.fill()) continue;
      if (seen === 0) return null;
      throw new UnexpectedEnd("an HTTP head");
    }
  }

  /** Reads and consumes one line of at most `limit` bytes, without its CR LF or LF. Throws as `head` does. */
  async line(limit: number): Promise<Uint8Array> {
    for (let seen = 0;;) {
      const end = this.buffered.indexOf(10, seen);
      if (end >= 0 && end <= limit) {
        const line = await this.exact(end + 1);
        return line.subarray(0, line[end - 1] === 13 ? end - 1 : end);
      }
      seen = this.#end - this.#start;
      if (seen > limit) throw new RangeError(`Line of more than ${limit} bytes`);
      if (!await this.fill()) throw new UnexpectedEnd("a line");
    }
  }

  /** Small readers are common (a SOCKS request is some 20 bytes), so the buffer starts small and grows while reads fill it. */
  #makeRoom(): void {
    const waiting = this.#end - this.#start, size = this.#bytes.length;
    if (waiting === this.capacity) throw new RangeError(`More than ${this.capacity} bytes without an end`);
    if ((this.#filled || waiting === size) && size < this.capacity) {
      const grown = new Uint8Array(Math.min(this.capacity, Math.max(1024, size * 4)));
      grown.set(this.buffered);
      this.#bytes = grown;
    } else if (waiting > 0 && size - this.#end >= size / 2) {
      return;
    } else {
      this.#bytes.copyWithin(0, this.#start, this.#end);
    }
    this.#start = 0;
    this.#end = waiting;
  }
}

/** Length of the head including its empty line, 0 while there is none; `seen` bytes were searched before. */
function endOfHead(bytes: Uint8Array, seen: number): number {
  for (let at = bytes.indexOf(10, Math.max(0, seen - 3)); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at + 1] === 10) return at + 2;
    if (bytes[at + 1] === 13 && bytes[at + 2] === 10) return at + 3;
  }
  return 0;
}
