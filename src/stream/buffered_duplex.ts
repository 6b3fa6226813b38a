import type { BufferedReader } from "./buffered_reader.ts";
import type { Duplex } from "./duplex.ts";

/**
 * A stream whose beginning was read through `reader`: first gives what the reader still holds, then goes on by itself, so
 * that a connection can be handed on after its handshake.
 */
export function bufferedDuplex(stream: Duplex, reader: BufferedReader): Duplex {
  // Without left-overs the reader and its buffer can go now, which most connections take.
  return reader.buffered.length === 0 ? stream : new BufferedDuplex(stream, reader);
}

class BufferedDuplex implements Duplex {
  readonly #stream: Duplex;
  #reader: BufferedReader | undefined;

  constructor(stream: Duplex, reader: BufferedReader) {
    this.#stream = stream;
    this.#reader = reader;
  }

  read(into: Uint8Array): Promise<number | null> {
    const reader = this.#reader;
    if (!reader) return this.#stream.read(into);
    if (reader.buffered.length <= into.length) this.#reader = undefined;
    return reader.read(into);
  }

  write(data: Uint8Array): Promise<void> {
    return this.#stream.write(data);
  }

  closeWrite(): Promise<void> {
    return this.#stream.closeWrite();
  }

  reset(): void {
    this.#stream.reset();
  }

  close(): void {
    this.#stream.close();
  }
}
