import { concatBytes } from "../../src/stream/concat_bytes.ts";
import { BufferedReader } from "../../src/stream/buffered_reader.ts";
import type { Duplex } from "../../src/stream/duplex.ts";

/** A frame as a server writes it: written apart from `src/tunnel/spdy.ts`, so that neither can agree with the other's mistake. */
export function controlFrame(type: number, words: readonly number[], tail: Uint8Array = new Uint8Array(0)): Uint8Array {
  const length = words.length * 4 + tail.length;
  const bytes = [0x80, 3, type >> 8, type & 255, 0, length >> 16 & 255, length >> 8 & 255, length & 255];
  for (const word of words) bytes.push(word >>> 24, word >> 16 & 255, word >> 8 & 255, word & 255);
  return concatBytes([Uint8Array.from(bytes), tail]);
}

/** A data frame; `fin` marks the last of its direction. */
export function dataFrame(stream: number, data: Uint8Array, fin: boolean = false): Uint8Array {
  const { length } = data;
  const id = [stream >>> 24, stream >> 16 & 255, stream >> 8 & 255, stream & 255];
  return concatBytes([
    Uint8Array.from([...id, fin ? 1 : 0, length >> 16 & 255, length >> 8 & 255, length & 255]),
    data,
  ]);
}

/** SYN_REPLY with an empty header block, as good as any to a reader that skips it. */
export function synReply(stream: number): Uint8Array {
  return controlFrame(2, [stream], new Uint8Array(12));
}

const none = new Uint8Array(0);
const bytes = (text: string) => new TextEncoder().encode(text);

/** A connection that a client has opened: what the node sees of it, and what it can do with it. */
export class PodConnection {
  readonly errorId: number;
  readonly dataId: number;
  readonly port: number;
  readonly #server: SpdyServer;
  readonly #pieces: Uint8Array[] = [];
  /** The client has ended its direction. */
  finished = false;
  /** The client has reset the stream. */
  cancelled = false;

  constructor(server: SpdyServer, errorId: number, dataId: number, port: number) {
    this.#server = server;
    this.errorId = errorId;
    this.dataId = dataId;
    this.port = port;
  }

  /** What the client has written so far. */
  get received(): string {
    return new TextDecoder().decode(concatBytes(this.#pieces));
  }

  take(data: Uint8Array): void {
    this.#pieces.push(data);
  }

  /** The frames of acceptance. */
  get replies(): Uint8Array {
    return concatBytes([synReply(this.dataId), synReply(this.errorId)]);
  }

  reply(): Promise<void> {
    return this.#server.send(this.replies);
  }

  write(data: string | Uint8Array): Promise<void> {
    return this.#server.send(dataFrame(this.dataId, typeof data === "string" ? bytes(data) : data));
  }

  /** The pod has closed the connection in good order. */
  finish(): Promise<void> {
    this.#server.forget(this);
    return this.#server.send(dataFrame(this.dataId, none, true), dataFrame(this.errorId, none, true));
  }

  /** The pod's side has failed: the frames that containerd was seen to send. */
  fail(text: string): Promise<void> {
    this.#server.forget(this);
    return this.#server.send(
      dataFrame(this.dataId, none, true),
      dataFrame(this.errorId, bytes(text)),
      controlFrame(3, [this.errorId, 5]),
    );
  }

  /** Nothing listens on the port. */
  refuse(): Promise<void> {
    return this.fail(
      `error forwarding port ${this.port} to pod 1234, uid : failed to execute portforward in network namespace "/var/run/netns/x": ` +
        `failed to connect to localhost:${this.port} inside namespace "1234", IPv4: dial tcp4 127.0.0.1:${this.port}: connect: connection refused`,
    );
  }
}

/** The node's end of a port-forward session. Keeps what clients open, accepts it, answers PINGs; the rest is told by the test. */
export class SpdyServer {
  readonly #carrier: Duplex;
  readonly #connections = new Map<number, PodConnection>();
  #writing: Promise<void> = Promise.resolve();
  readonly opened: PodConnection[] = [];
  readonly pings: number[] = [];
  /** False for a node that is too busy to accept. */
  accepts = true;
  answersPings = true;
  /** False for a node that does not take what is sent to it. */
  reads = true;
  onConnection: (connection: PodConnection) => void = () => {};
  onData: (connection: PodConnection, data: Uint8Array) => void = () => {};
  onFinish: (connection: PodConnection) => void = () => {};
  /** Settles once the client's end is gone. */
  readonly ended: Promise<void>;
  over = false;

  constructor(carrier: Duplex) {
    this.#carrier = carrier;
    this.ended = this.#serve().catch(() => {}).then(() => {
      this.over = true;
    });
  }

  /** The connection that was opened last. Throws where there is none. */
  get last(): PodConnection {
    const last = this.opened.at(-1);
    if (!last) throw new Error("nothing was opened in this session");
    return last;
  }

  /** Sends frames as one piece. */
  send(...frames: readonly Uint8Array[]): Promise<void> {
    const sent = this.#writing.then(() => this.#carrier.write(concatBytes(frames)));
    this.#writing = sent.catch(() => {});
    return this.#writing;
  }

  /** The connection to the API server breaks. */
  reset(): void {
    this.#carrier.reset();
  }

  /** The node has ended both streams of the connection. */
  forget(connection: PodConnection): void {
    this.#connections.delete(connection.dataId);
  }

  /** Connections that neither side has given up. */
  get live(): number {
    return this.#connections.size;
  }

  async #serve(): Promise<void> {
    const reader = new BufferedReader(this.#carrier, 128 * 1024);
    const errors = new Map<string, number>();
    let first = true;
    for (;;) {
      while (!this.reads) await new Promise((resolve) => setImmediate(resolve));
      if (reader.buffered.length === 0 && !await reader.fill()) return;
      const head = (await reader.exact(8)).slice();
      const length = head[5]! << 16 | head[6]! << 8 | head[7]!;
      const payload = (await reader.exact(length)).slice();
      const view = new DataView(payload.buffer);
      if (head[0]! < 128) {
        const connection = this.#connections.get(new DataView(head.buffer).getUint32(0));
        if (!connection) continue;
        if (length > 0) {
          connection.take(payload);
          this.onData(connection, payload);
        }
        if (head[4] === 1) {
          connection.finished = true;
          this.onFinish(connection);
        }
        continue;
      }
      if (head[1] !== 3) throw new Error(`SPDY version ${head[1]}`);
      switch (head[3]) {
        case 1: {
          const headers = headerBlock(payload.subarray(10), first);
          first = false;
          const id = view.getUint32(0);
          if (headers.streamtype === "error") {
            errors.set(headers.requestid ?? "", id);
            break;
          }
          const errorId = errors.get(headers.requestid ?? "");
          if (errorId === undefined) throw new Error("a data stream without its error stream");
          const connection = new PodConnection(this, errorId, id, Number(headers.port));
          this.#connections.set(id, connection);
          this.opened.push(connection);
          if (this.accepts) connection.reply();
          this.onConnection(connection);
          break;
        }
        case 3: {
          const connection = this.#connections.get(view.getUint32(0));
          if (connection) connection.cancelled = true;
          this.#connections.delete(view.getUint32(0));
          break;
        }
        case 6:
          this.pings.push(view.getUint32(0));
          // Even ids are the server's own, so this one is an answer.
          if (this.answersPings && view.getUint32(0) % 2 === 1) this.send(controlFrame(6, [view.getUint32(0)]));
          break;
        default:
          throw new Error(`frame of type ${head[3]}`);
      }
    }
  }
}

/** Reads a header block of stored deflate blocks: RFC 1950 §2.2, RFC 1951 §3.2.4, SPDY/3.1 §2.6.10. */
function headerBlock(block: Uint8Array, first: boolean): Record<string, string> {
  let at = 0;
  if (first) {
    if (block[0] !== 0x78 || (block[0] * 256 + block[1]!) % 31 !== 0 || (block[1]! & 0x20) !== 0) {
      throw new Error("not a zlib stream without dictionary");
    }
    at = 2;
  }
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const plain: Uint8Array[] = [];
  let last = -1;
  while (at < block.length) {
    if (block[at] !== 0) throw new Error("not a stored block");
    last = view.getUint16(at + 1, true);
    if ((last ^ view.getUint16(at + 3, true)) !== 0xffff) throw new Error("wrong length of a stored block");
    plain.push(block.subarray(at + 5, at + 5 + last));
    at += 5 + last;
  }
  if (last !== 0) throw new Error("a header block that is not flushed");
  const text = concatBytes(plain);
  const words = new DataView(text.buffer);
  const headers: Record<string, string> = {};
  at = 4;
  const next = () => {
    const length = words.getUint32(at);
    at += 4 + length;
    return new TextDecoder().decode(text.subarray(at - length, at));
  };
  for (let left = words.getUint32(0); left > 0; left--) headers[next()] = next();
  if (at !== text.length) throw new Error("bytes behind the headers");
  return headers;
}
