import type { BufferedReader } from "./buffered_reader.ts";
import type { Duplex } from "./duplex.ts";
import { WrappedDuplex } from "./wrapped_duplex.ts";

/**
 * A stream whose beginning was read through `reader`: first gives what the reader still holds, then goes on by itself, so
 * that a connection can be handed on after its handshake.
 */
export function bufferedDuplex(stream: Duplex, reader: BufferedReader): Duplex {
  // Without left-overs the reader and its buffer can go now, which most connections take.
  return reader.buffered.length === 0 ? stream : new BufferedDuplex(stream, reader);
}

class BufferedDuplex extends WrappedDuplex {
  #reader: BufferedReader | undefined;

  constructor(stream: Duplex, reader: BufferedReader) {
    super(stream);
    this.#reader = reader;
  }

  override read(into: Uint8Array): Promise<number | null> {
    const reader = this.#reader;
    if (!reader) return super.read(into);
    if (reader.buffered.length <= into.length) this.#reader = undefined;
    return reader.read(into);
  }
}
