import { Buffer } from "node:buffer";
import { Packet, type Writer } from "dns2";

/**
 * Where dns2's encoders write a message to. Its own writer keeps an array element a bit and copies the whole message after each
 * record, which holds the event loop for 0.7 s for the 4000 endpoints of a large headless service; this one keeps bytes.
 */
export class MessageWriter extends Packet.Writer {
  /** Where names stand in the message, by lower-case text, for compression (RFC 1035 §4.1.4): dns2 looks for it under this name. */
  names: Map<string, number> | undefined = new Map();
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(512);
  #bits = 0;

  /** Bytes written. */
  get length(): number {
    return Math.ceil(this.#bits / 8);
  }

  /** The message so far; a view. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.length);
  }

  /** Appends whole bytes. */
  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.#bits += bytes.length * 8;
  }

  /** Forgets what was written behind `length` bytes. Names recorded there stay recorded, so this ends the writing of names. */
  cut(length: number): void {
    this.#bytes.fill(0, length, this.length);
    this.#bits = length * 8;
  }

  override write(value: number, bits: number): void {
    this.#reserve(4);
    this.patch(this.#bits, value, bits);
    this.#bits += bits;
  }

  override patch(offset: number, value: number, bits: number): void {
    for (let left = bits; left > 0;) {
      const room = 8 - offset % 8;
      const take = Math.min(room, left);
      left -= take;
      const mask = (1 << take) - 1;
      const at = offset >> 3;
      const shift = room - take;
      this.#bytes[at] = this.#bytes[at]! & ~(mask << shift) | (value >>> left & mask) << shift;
      offset += take;
    }
  }

  override writeBuffer(other: Writer): void {
    this.append(other.toBuffer());
  }

  override bitLength(): number {
    return this.#bits;
  }

  override byteLength(): number {
    return this.length;
  }

  /** dns2 calls this after each record and drops the result, so it must cost nothing. */
  override toBuffer(): Buffer {
    return Buffer.from(this.#bytes.buffer, 0, this.length);
  }

  #reserve(bytes: number): void {
    if (this.length + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + bytes));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
