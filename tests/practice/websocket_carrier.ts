import { ByteReader } from "./byte_reader.ts";
import type { Carrier } from "./carrier.ts";

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Bytes inside binary messages of a WebSocket (RFC 6455), the server's side. Where messages begin and end means nothing. */
export class WebSocketCarrier implements Carrier {
  readonly #inner: Carrier;
  readonly #reader: ByteReader;
  /** What is left of the frame under way. */
  #left = 0;
  #mask: Uint8Array = new Uint8Array(4);
  #masked = 0;
  #closed = false;

  constructor(inner: Carrier) {
    this.#inner = inner;
    this.#reader = new ByteReader(() => inner.read());
  }

  async read(): Promise<Uint8Array | null> {
    while (this.#left === 0) if (!await this.#next()) return null;
    const piece = await this.#reader.some(this.#left);
    if (!piece) return null;
    this.#left -= piece.length;
    return this.#unmask(piece);
  }

  /** No message is longer than a copy buffer of the real server, 32 KiB. */
  async write(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; at += 32768) await this.#send(opcodes.binary, data.subarray(at, at + 32768));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#send(opcodes.close, Uint8Array.of(1000 >> 8, 1000 & 0xff)).catch(() => {}); // nobody is left to hear it
    this.#inner.close();
  }

  /** Reads up to the payload of the next data frame; false at the end. */
  async #next(): Promise<boolean> {
    const head = await this.#reader.exactly(2);
    if (!head) return false;
    const opcode = head[0]! & 0x0f;
    const short = head[1]! & 0x7f;
    const longer = short === 126 ? 2 : short === 127 ? 8 : 0;
    const extended = await this.#reader.exactly(longer);
    const mask = await this.#reader.exactly(4);
    if (!extended || !mask) return false;
    const length = longer ? extended.reduce((sum, byte) => sum * 256 + byte, 0) : short;
    this.#mask = Uint8Array.from(mask);
    this.#masked = 0;
    const isMasked = (head[1]! & 0x80) !== 0;
    if (!isMasked || opcode === opcodes.text) return this.#refuse();
    if (opcode === opcodes.binary || opcode === opcodes.continuation) {
      this.#left = length;
      return true;
    }
    if (length > 125) return this.#refuse();
    const payload = await this.#reader.exactly(length);
    if (!payload || opcode === opcodes.close) {
      this.close();
      return false;
    }
    if (opcode === opcodes.ping) await this.#send(opcodes.pong, this.#unmask(payload));
    return true;
  }

  /** Protocol error. */
  async #refuse(): Promise<false> {
    this.#closed = true;
    await this.#send(opcodes.close, Uint8Array.of(1002 >> 8, 1002 & 0xff));
    this.#inner.close();
    return false;
  }

  #unmask(piece: Uint8Array): Uint8Array {
    const out = new Uint8Array(piece.length);
    for (let i = 0; i < piece.length; i++) out[i] = piece[i]! ^ this.#mask[(this.#masked + i) & 3]!;
    this.#masked += piece.length;
    return out;
  }

  #send(opcode: number, payload: Uint8Array): Promise<void> {
    const long = payload.length > 125;
    const frame = new Uint8Array((long ? 4 : 2) + payload.length);
    frame[0] = 0x80 | opcode;
    frame[1] = long ? 126 : payload.length;
    if (long) new DataView(frame.buffer).setUint16(2, payload.length);
    frame.set(payload, long ? 4 : 2);
    return this.#inner.write(frame);
  }
}
