import { concatBytes } from "../stream/concat_bytes.ts";
import type { Duplex } from "../stream/duplex.ts";
import { BufferedReader, UnexpectedEnd } from "../stream/buffered_reader.ts";
import type { Wire } from "./wire.ts";

/** The other side does not speak WebSocket as RFC 6455 has it. */
export class WebSocketError extends Error {
  override readonly name = "WebSocketError";
}

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/**
 * A client's WebSocket (RFC 6455) as a byte stream: boundaries of binary messages mean nothing, text is refused, pings are answered, a close
 * is the end. `reader` holds what came behind the handshake's response.
 */
export class WebSocketWire implements Wire {
  readonly #connection: Duplex;
  readonly #reader: BufferedReader;
  /** Payload bytes of the current data frame that are still to come, and whether it is the last of its message. */
  #left = 0;
  #final = false;
  #scratch = new Uint8Array(1024);
  #writing: Promise<void> = Promise.resolve();
  /** Payload of the latest ping while its answer waits; the ones before need none (RFC 6455 §5.5.3). */
  #pinged: Uint8Array | undefined;
  #closed = false;

  constructor(connection: Duplex, reader: BufferedReader) {
    this.#connection = connection;
    this.#reader = reader;
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#left === 0) if (!await this.#frame()) return null;
    const count = await this.#reader.read(into.length > this.#left ? into.subarray(0, this.#left) : into);
    if (count === null) throw new UnexpectedEnd("a WebSocket frame");
    this.#left -= count;
    return count;
  }

  /**
   * The next message whole, for protocols to which boundaries mean something; null at the end. Not to be mixed with {@linkcode read}. Throws a
   * {@linkcode WebSocketError} where it has more than `limit` bytes.
   */
  async message(limit: number): Promise<Uint8Array | null> {
    let message: Uint8Array | undefined;
    do {
      const kind = await this.#frame();
      if (kind === "control") continue;
      if (kind === undefined && message) throw new UnexpectedEnd("a WebSocket message");
      if (kind === undefined) return null;
      const part = new Uint8Array(this.#room(limit - (message?.length ?? 0), limit));
      for (let at = 0; this.#left > 0;) at += await this.read(part.subarray(at)) ?? 0;
      message = message ? concatBytes([message, part]) : part;
    } while (!message || !this.#final);
    return message;
  }

  /** The length of the current frame. */
  #room(room: number, limit: number): number {
    if (this.#left > room) throw new WebSocketError(`WebSocket message of more than ${limit} bytes`);
    return this.#left;
  }

  write(parts: readonly Uint8Array[]): Promise<void> {
    return this.#send(opcodes.binary, () => parts);
  }

  close(): void {
    this.#closed = true;
    this.#connection.reset();
  }

  /** Reads the next frame's head and deals with control frames; undefined at the end. */
  async #frame(): Promise<"data" | "control" | undefined> {
    const reader = this.#reader;
    if (reader.buffered.length === 0 && !await reader.fill()) return undefined;
    const [first = 0, second = 0] = await reader.exact(2, "a WebSocket frame");
    if ((first & 0x70) !== 0) throw new WebSocketError("WebSocket frame with reserved bits");
    if ((second & 0x80) !== 0) throw new WebSocketError("WebSocket frame from the server with a mask");
    const opcode = first & 15;
    const length = await this.#length(second & 127);
    switch (opcode) {
      case opcodes.binary:
      case opcodes.continuation:
        this.#left = length;
        this.#final = (first & 0x80) !== 0;
        return "data";
      case opcodes.ping:
      case opcodes.pong:
      case opcodes.close: {
        if (length > 125) throw new WebSocketError("WebSocket control frame of more than 125 bytes");
        const payload = (await reader.exact(length, "a WebSocket frame")).slice();
        if ((first & 0x80) === 0) throw new WebSocketError("WebSocket control frame in fragments");
        // Both answers are courtesies: a connection that cannot take them shows it on the next read or write.
        if (opcode === opcodes.ping) this.#answer(payload);
        if (opcode === opcodes.close) this.#send(opcodes.close, () => [payload.subarray(0, 2)]).catch(() => {});
        return opcode === opcodes.close ? undefined : "control";
      }
      default:
        throw new WebSocketError(`WebSocket frame with opcode ${opcode}`);
    }
  }

  async #length(short: number): Promise<number> {
    if (short < 126) return short;
    const bytes = await this.#reader.exact(short === 126 ? 2 : 8, "a WebSocket frame");
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (short === 126) return view.getUint16(0);
    const length = view.getBigUint64(0);
    if (length > BigInt(Number.MAX_SAFE_INTEGER)) throw new WebSocketError("WebSocket frame of impossible length");
    return Number(length);
  }

  #answer(ping: Uint8Array): void {
    const waiting = this.#pinged !== undefined;
    this.#pinged = ping;
    if (waiting) return;
    this.#send(opcodes.pong, () => {
      const payload = this.#pinged ?? ping;
      this.#pinged = undefined;
      return [payload];
    }).catch(() => {});
  }

  /** Frames are built one after another: data from the session, and pongs between them. */
  #send(opcode: number, parts: () => readonly Uint8Array[]): Promise<void> {
    const sent = this.#writing.then(() => {
      if (this.#closed) throw new WebSocketError("The WebSocket is closed");
      return this.#connection.write(this.#masked(opcode, parts()));
    });
    this.#writing = sent.catch(() => {});
    return sent;
  }

  #masked(opcode: number, parts: readonly Uint8Array[]): Uint8Array {
    let length = 0;
    for (const part of parts) length += part.length;
    const head = length < 126 ? 6 : length < 65536 ? 8 : 14;
    // The payload starts at a multiple of four, so that it can be masked by words.
    const start = (4 - (head & 3)) & 3;
    const total = start + head + length;
    if (this.#scratch.length < total) this.#scratch = new Uint8Array((total + 4095) & ~4095);
    const frame = this.#scratch;
    const view = new DataView(frame.buffer);
    frame[start] = 0x80 | opcode;
    frame[start + 1] = 0x80 | (length < 126 ? length : length < 65536 ? 126 : 127);
    if (head === 8) view.setUint16(start + 2, length);
    if (head === 14) view.setBigUint64(start + 2, BigInt(length));
    const payload = start + head;
    crypto.getRandomValues(frame.subarray(payload - 4, payload));
    let at = payload;
    for (const part of parts) {
      frame.set(part, at);
      at += part.length;
    }
    // XOR of whole words is the same in either byte order, as key and payload are read alike.
    const words = new Uint32Array(frame.buffer, payload - 4, 1 + (length >> 2));
    const key = words[0]!;
    for (let i = 1; i < words.length; i++) words[i]! ^= key;
    for (let i = length & ~3; i < length; i++) frame[payload + i]! ^= frame[payload - 4 + (i & 3)]!;
    return frame.subarray(start, total);
  }
}
