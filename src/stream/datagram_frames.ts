import { concatBytes } from "./concat_bytes.ts";

/** Bytes of the longest datagram there is: what IPv4 leaves for UDP. */
export const datagramLimit = 65_507;

/** A datagram as it travels in a stream: two bytes of its length, big endian, before it. Throws a RangeError where it is longer than {@linkcode datagramLimit}. */
export function frameDatagram(datagram: Uint8Array): Uint8Array {
  const { length } = datagram;
  if (length > datagramLimit) throw tooLong(length);
  const frame = new Uint8Array(2 + length);
  frame[0] = length >> 8;
  frame[1] = length & 0xff;
  frame.set(datagram, 2);
  return frame;
}

/** Takes datagrams out of a stream that {@linkcode frameDatagram} has made, whatever pieces it comes in. */
export class DatagramSplitter {
  /** The beginning of a frame that has not come whole. */
  #begun: Uint8Array = new Uint8Array(0);

  /** The datagrams that are whole with `bytes`; they are views, valid until `bytes` is reused. Throws a RangeError where one is too long. */
  push(bytes: Uint8Array): Uint8Array[] {
    const all = this.#begun.length > 0 ? concatBytes([this.#begun, bytes]) : bytes;
    const whole: Uint8Array[] = [];
    let at = 0;
    while (all.length - at >= 2) {
      const length = all[at]! << 8 | all[at + 1]!;
      if (length > datagramLimit) throw tooLong(length);
      if (all.length - at - 2 < length) break;
      whole.push(all.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
    this.#begun = all.slice(at);
    return whole;
  }
}

function tooLong(length: number): RangeError {
  return new RangeError(`A datagram of ${length} bytes; the longest has ${datagramLimit}`);
}
