import { Duplex as NodeDuplex } from "node:stream";
import type { Duplex } from "./duplex.ts";

/** Bytes that one read takes at the most. */
const size = 65536;

/**
 * Gives a stream, which it owns from then on, to those who want one of Node's. Pulled: what is not read is not taken from below. It closes
 * once the other end has ended its direction: who speaks over it has no use for half of it.
 */
export function nodeDuplex(under: Duplex): NodeDuplex {
  const buffer = new Uint8Array(size);
  return new NodeDuplex({
    allowHalfOpen: false,
    read() {
      // Each chunk is the reader's to keep, so the buffer serves only to learn how long it is.
      under.read(buffer).then(
        (count) => this.push(count === null ? null : buffer.slice(0, count)),
        (error) => this.destroy(error),
      );
    },
    write(chunk: Uint8Array, _encoding, done) {
      under.write(chunk).then(() => done(), done);
    },
    final(done) {
      under.closeWrite().then(() => done(), done);
    },
    destroy(error, done) {
      if (error) under.reset();
      else under.close();
      done(error);
    },
  });
}
