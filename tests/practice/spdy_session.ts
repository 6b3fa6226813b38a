import { ByteReader } from "./byte_reader.ts";
import type { Carrier } from "./carrier.ts";
import type { Counters } from "./counters.ts";
import { ForwardedStream } from "./forwarded_stream.ts";
import { Lane } from "./lane.ts";
import { SpdyHeaderReader } from "./spdy_header_reader.ts";

/** What a {@linkcode SpdySession} needs. */
export interface SpdySessionDeps {
  /** Connects to a port of the pod; rejects with an error whose message is what the container runtime would say. */
  readonly dial: (port: number) => Promise<Deno.TcpConn>;
  /** Puts the container runtime's words around a failure of a connection that stood. */
  readonly explain: (port: number, failure: Error) => string;
  /** Milliseconds that a connection lives on when one side has ended. */
  readonly teardown: number;
  /** Milliseconds within which both streams of a pair must come. */
  readonly pairing: number;
  readonly counters: Counters;
}

const cancel = 5;
const protocolError = 1;
/** As many as spdystream has, with as long queues: a stalled stream stops those that share its worker, and, once its queue is full, all. */
const workers = 5;

/** The server's side of port-forward over SPDY/3.1, with the manners of kubelet, cri-streaming and containerd. */
export class SpdySession {
  readonly #carrier: Carrier;
  readonly #deps: SpdySessionDeps;
  readonly #reader: ByteReader;
  readonly #headers = new SpdyHeaderReader();
  readonly #lanes = Array.from({ length: workers }, () => new Lane());
  readonly #streams = new Map<number, { readonly kind: "data" | "error"; readonly pair: ForwardedStream }>();
  /** Pairs of which one stream is missing, by request. */
  readonly #pairs = new Map<string, ForwardedStream>();
  readonly #open = new Set<ForwardedStream>();
  readonly #running = new Set<Promise<void>>();
  #lastId = 0;
  #replied = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(carrier: Carrier, deps: SpdySessionDeps) {
    this.#carrier = carrier;
    this.#deps = deps;
    this.#reader = new ByteReader(() => carrier.read());
  }

  /** Serves until the client ends, and all that belongs to it is over. Never rejects. */
  async run(): Promise<void> {
    try {
      while (await this.#frame());
    } catch {
      // Not SPDY, or the client is gone in the middle of an answer.
      await this.#control(7, 0, uint32s(this.#lastId, 0)).catch(() => {});
    }
    for (const pair of this.#open) pair.abort();
    this.#headers.close();
    this.#carrier.close();
    await Promise.all(this.#running);
  }

  /** Reads and handles one frame; false at the end. */
  async #frame(): Promise<boolean> {
    const head = await this.#reader.exactly(8);
    if (!head) return false;
    const view = new DataView(head.buffer, head.byteOffset, 8);
    const flags = head[4]!;
    const length = view.getUint32(4) & 0xffffff;
    const control = (head[0]! & 0x80) !== 0;
    if (control && length > 1 << 20) throw new RangeError(`Control frame of ${length} bytes`);
    const word = view.getUint32(0);
    const payload = await this.#reader.exactly(length);
    if (!payload) return false;
    if (!control) await this.#data(word, flags, payload);
    else if (word >>> 16 !== 0x8003) throw new RangeError("Not SPDY/3");
    else await this.#controlFrame(word & 0xffff, payload);
    return true;
  }

  async #data(id: number, flags: number, payload: Uint8Array): Promise<void> {
    await this.#lane(id).push(async () => {
      const stream = this.#streams.get(id); // closed ones, and those never known, are ignored
      if (stream?.kind !== "data") return;
      if (payload.length > 0) await stream.pair.upload(payload);
      if (flags & 1) stream.pair.endUpload();
    });
  }

  async #controlFrame(type: number, payload: Uint8Array): Promise<void> {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    switch (type) {
      case 1: {
        const id = view.getUint32(0) & 0x7fffffff;
        const headers = await this.#headers.read(payload.subarray(10));
        return this.#lane(id).push(() => this.#opened(id, headers));
      }
      case 3: {
        const id = view.getUint32(0) & 0x7fffffff;
        // At once, since its worker may be the one that waits for the stream; otherwise behind the frame that opens it.
        if (this.#streams.has(id)) return this.#closed(id);
        return this.#lane(id).push(() => this.#closed(id));
      }
      case 6: {
        const id = view.getUint32(0);
        if (id % 2 === 0) return; // an answer, to nothing we asked
        return this.#lane(id).push(() => {
          this.#deps.counters.pings++;
          return this.#control(6, 0, uint32s(id));
        });
      }
      case 2: // SYN_REPLY, SETTINGS, GOAWAY, HEADERS, WINDOW_UPDATE: read and ignored
      case 4:
      case 7:
      case 8:
      case 9:
        return;
      default:
        throw new RangeError(`Unknown control frame ${type}`);
    }
  }

  async #opened(id: number, headers: ReadonlyMap<string, string>): Promise<void> {
    if (this.#streams.has(id)) return this.#reset(id, protocolError);
    this.#lastId = Math.max(this.#lastId, id);
    const port = Number(headers.get("port"));
    const kind = headers.get("streamtype");
    if (!Number.isInteger(port) || port < 1 || port > 65535) return this.#reset(id, cancel);
    if (kind !== "error" && kind !== "data") return this.#reset(id, cancel);
    await this.#reply(id);
    const request = headers.get("requestid") || String(kind === "error" ? id : id - 2);
    const pair = this.#pairs.get(request) ?? this.#newPair(request, port);
    this.#streams.set(id, { kind, pair });
    pair.join(kind, id);
    if (!pair.complete) return;
    this.#pairs.delete(request);
    const run = pair.run(port).then(() => {
      this.#streams.delete(pair.dataId);
      this.#streams.delete(pair.errorId);
      this.#open.delete(pair);
      this.#running.delete(run);
    });
    this.#running.add(run);
  }

  /** The client has reset a stream. */
  #closed(id: number): void {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    if (stream?.kind === "data") stream.pair.resetUpload();
  }

  #newPair(request: string, port: number): ForwardedStream {
    const pair = new ForwardedStream({
      ...this.#deps,
      send: (id, data, end) => this.#frameOut(id, end ? 1 : 0, data),
    }, () => {
      this.#pairs.delete(request);
      return `(port ${port}, request ${request}) timed out waiting for streams`;
    });
    this.#pairs.set(request, pair);
    this.#open.add(pair);
    return pair;
  }

  #lane(id: number): Lane {
    return this.#lanes[id % workers]!;
  }

  #reset(id: number, status: number): Promise<void> {
    return this.#control(3, 0, uint32s(id, status));
  }

  /** An empty header block, as one stored block of the connection's one zlib stream, flushed. */
  #reply(id: number): Promise<void> {
    const start = this.#replied ? [] : [0x78, 0x01];
    this.#replied = true;
    const block = [...start, 0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
    return this.#control(2, 0, Uint8Array.of(...uint32s(id), ...block));
  }

  #control(type: number, flags: number, payload: Uint8Array): Promise<void> {
    return this.#frameOut(0x80030000 | type, flags, payload);
  }

  /** Frames go out one after another; a client that does not read stops all that send. */
  #frameOut(word: number, flags: number, payload: Uint8Array): Promise<void> {
    const frame = new Uint8Array(8 + payload.length);
    const view = new DataView(frame.buffer);
    view.setUint32(0, word >>> 0);
    view.setUint32(4, (flags << 24 | payload.length) >>> 0);
    frame.set(payload, 8);
    const written = this.#writing.then(() => this.#carrier.write(frame));
    this.#writing = written.catch(() => {});
    return written;
  }
}

function uint32s(...numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 4);
  const view = new DataView(bytes.buffer);
  numbers.forEach((number, i) => view.setUint32(i * 4, number));
  return bytes;
}
