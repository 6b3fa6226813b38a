import { BufferedReader } from "../../src/stream/buffered_reader.ts";
import type { Duplex } from "../../src/stream/duplex.ts";

/** A frame as RFC 6455 §5.2 has it. */
export interface Frame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Uint8Array;
}

/** How a frame is to be written; what is left out is as servers do it. */
export interface FrameOptions {
  readonly fin?: boolean;
  readonly reserved?: number;
  readonly masked?: boolean;
  /** Bytes of the extended length: the shortest form by default. */
  readonly lengthBytes?: 0 | 2 | 8;
}

/** The bytes of a frame, as a server sends it. */
export function encodeFrame(opcode: number, payload: Uint8Array, options: FrameOptions = {}): Uint8Array {
  const { fin = true, reserved = 0, masked = false } = options;
  const lengthBytes = options.lengthBytes ?? (payload.length < 126 ? 0 : payload.length < 65536 ? 2 : 8);
  const short = lengthBytes === 0 ? payload.length : lengthBytes === 2 ? 126 : 127;
  const frame = [(fin ? 128 : 0) | reserved << 4 | opcode, (masked ? 128 : 0) | short];
  for (let left = lengthBytes - 1; left >= 0; left--) frame.push(Math.floor(payload.length / 256 ** left) % 256);
  if (masked) frame.push(0, 0, 0, 0);
  const bytes = new Uint8Array(frame.length + payload.length);
  bytes.set(frame);
  bytes.set(payload, frame.length);
  return bytes;
}

/** Reads a client's next frame, unmasked; null at the end. */
export async function readFrame(reader: BufferedReader): Promise<Frame | null> {
  if (reader.buffered.length === 0 && !await reader.fill()) return null;
  const [first = 0, second = 0] = await reader.exact(2);
  let length = second & 127;
  if (length > 125) {
    const bytes = await reader.exact(length === 126 ? 2 : 8);
    length = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  }
  const masked = second > 127;
  const key = masked ? (await reader.exact(4)).slice() : new Uint8Array(4);
  const payload = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await reader.read(payload.subarray(at));
    if (count === null) throw new Error("the client ended within a frame");
    at += count;
  }
  for (let at = 0; at < length; at++) payload[at]! ^= key[at % 4]!;
  return { fin: first > 127, opcode: first & 15, masked, payload };
}

/** The server's end of a WebSocket as a byte stream over binary messages. */
export function serverWebSocket(connection: Duplex, reader: BufferedReader = new BufferedReader(connection)): Duplex {
  let payload = new Uint8Array(0);
  return {
    async read(into) {
      while (payload.length === 0) {
        const frame = await readFrame(reader);
        if (!frame || frame.opcode === 8) return null;
        if (!frame.masked) throw new Error("a client's frame without a mask");
        if (frame.opcode === 2) payload = frame.payload as Uint8Array<ArrayBuffer>;
      }
      const count = Math.min(into.length, payload.length);
      into.set(payload.subarray(0, count));
      payload = payload.subarray(count);
      return count;
    },
    write: (data) => connection.write(encodeFrame(2, data)),
    closeWrite: () => connection.closeWrite(),
    reset: () => connection.reset(),
    close: () => connection.close(),
  };
}
