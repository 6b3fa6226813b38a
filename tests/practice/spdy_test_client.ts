import { Buffer } from "node:buffer";
import tls from "node:tls";

/** Where and as whom a {@linkcode upgrade} goes. */
export interface UpgradeTarget {
  readonly port: number;
  readonly ca: string;
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** What the server answered. `session` is there if it was 101. */
export interface Upgraded {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  readonly session: SpdyTestClient | undefined;
  close(): void;
}

/** One frame as the server sent it, in short: `SYN_REPLY 1`, `DATA 3 "hello"`, `DATA 3 FIN`, `RST_STREAM 1 5`, `PING 1`, `GOAWAY 3`. */
export type ShortFrame = string;

const tunnel = {
  "Upgrade": "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
};

/** The usual headers of an upgrade. */
export const upgradeHeaders = {
  spdy: { "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": "portforward.k8s.io", "Content-Length": "0" },
  tunnel: { ...tunnel, "Sec-WebSocket-Protocol": "SPDY/3.1+portforward.k8s.io" },
  v4: { ...tunnel, "Sec-WebSocket-Protocol": "v4.channel.k8s.io" },
  webSocket: tunnel,
} as const;

/** Asks for an upgrade and reads the answer. */
export async function upgrade(
  target: UpgradeTarget,
  path: string,
  headers: Readonly<Record<string, string>>,
  method = headers.Upgrade === "SPDY/3.1" ? "POST" : "GET",
): Promise<Upgraded> {
  const { port, ca, token, cert, key } = target;
  const socket = tls.connect({ host: "127.0.0.1", port, ca, cert, key });
  socket.setNoDelay(true);
  const source = new Source(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  const all = {
    "Host": "127.0.0.1",
    "Connection": "Upgrade",
    ...(token ? { "Authorization": `Bearer ${token}` } : {}),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines}\r\n`);
  const head = await source.line("\r\n\r\n");
  const [first = "", ...rest] = head.trimEnd().split("\r\n");
  const answered = new Headers(rest.map((line): [string, string] => {
    const [name = "", value = ""] = line.split(/:\s*(.*)/);
    return [name, value];
  }));
  const status = Number(first.split(" ")[1]);
  const close = () => void socket.destroy();
  if (status !== 101) {
    const body = new TextDecoder().decode(await source.exactly(Number(answered.get("content-length") ?? 0)));
    return { status, headers: answered, body, session: undefined, close };
  }
  const session = new SpdyTestClient(socket, source, headers.Upgrade === "websocket");
  return { status, headers: answered, body: "", session, close };
}

/** A client of SPDY/3.1 that says exactly what a test wants it to say. */
export class SpdyTestClient {
  readonly #socket: tls.TLSSocket;
  readonly #source: Source;
  readonly #webSocket: boolean;
  #message = new Source(undefined);
  #started = false;

  constructor(socket: tls.TLSSocket, source: Source, webSocket: boolean) {
    this.#socket = socket;
    this.#source = source;
    this.#webSocket = webSocket;
  }

  /** Opens a stream pair, error stream `id`, data stream `id + 2`, in one write, with first bytes if given. */
  open(id: number, port: number | string, first = ""): Promise<void> {
    const fields = (streamtype: string) => ({ streamtype, port: String(port), requestid: String(id) });
    const data = first ? [this.dataFrame(id + 2, first)] : [];
    return this.write(
      this.synStream(id, fields("error")),
      this.dataFrame(id, "", true),
      this.synStream(id + 2, fields("data")),
      ...data,
    );
  }

  synStream(id: number, headers: Readonly<Record<string, string>>): Uint8Array {
    const fields = Object.entries(headers);
    const text = new TextEncoder();
    const counted = (value: string) => [...uint32(value.length), ...text.encode(value)];
    const block = [
      ...uint32(fields.length),
      ...fields.flatMap(([name, value]) => [...counted(name), ...counted(value)]),
    ];
    const stored = [0, block.length & 255, block.length >> 8, ~block.length & 255, ~block.length >> 8 & 255, ...block];
    const start = this.#started ? [] : [0x78, 0x01];
    this.#started = true;
    return controlFrame(1, [...uint32(id), ...uint32(0), 0, 0, ...start, ...stored, 0, 0, 0, 0xff, 0xff]);
  }

  dataFrame(id: number, data: string | Uint8Array, end = false): Uint8Array {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    return Buffer.concat([Uint8Array.of(...uint32(id), end ? 1 : 0, ...uint32(bytes.length).slice(1)), bytes]);
  }

  reset(id: number): Uint8Array {
    return controlFrame(3, [...uint32(id), ...uint32(5)]);
  }

  ping(id: number): Uint8Array {
    return controlFrame(6, uint32(id));
  }

  /** Sends frames in one write; resolves when the socket has taken it. */
  async write(...frames: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(frames);
    const out = this.#webSocket ? webSocketFrame(2, bytes) : bytes;
    await new Promise<void>((resolve, reject) => this.#socket.write(out, (error) => error ? reject(error) : resolve()));
  }

  /** Sends any WebSocket frame. */
  async writeMessage(opcode: number, payload: Uint8Array): Promise<void> {
    await new Promise((resolve) => this.#socket.write(webSocketFrame(opcode, payload), resolve));
  }

  /** The opcode and payload of the next WebSocket frame. */
  async message(): Promise<{ opcode: number; payload: Uint8Array }> {
    const [first, second] = await this.#source.exactly(2);
    const extended = await this.#source.exactly(second === 126 ? 2 : second === 127 ? 8 : 0);
    const length = extended.length ? extended.reduce((sum, byte) => sum * 256 + byte, 0) : second!;
    return { opcode: first! & 15, payload: await this.#source.exactly(length) };
  }

  /** The next frame; rejects at the end. */
  async next(): Promise<{ type: string; id: number; end: boolean; data: Uint8Array; short: ShortFrame }> {
    const head = await this.#bytes(8);
    const view = new DataView(head.buffer, head.byteOffset);
    const data = await this.#bytes(view.getUint32(4) & 0xffffff);
    const end = (head[4]! & 1) !== 0;
    if ((head[0]! & 0x80) === 0) {
      const id = view.getUint32(0);
      const words = [
        "DATA",
        id,
        ...(data.length ? [JSON.stringify(new TextDecoder().decode(data))] : []),
        ...(end ? ["FIN"] : []),
      ];
      return { type: "DATA", id, end, data, short: words.join(" ") };
    }
    const type = ["", "SYN_STREAM", "SYN_REPLY", "RST_STREAM", "SETTINGS", "", "PING", "GOAWAY"][view.getUint16(2)] ??
      "";
    const fields = new DataView(data.buffer, data.byteOffset);
    const id = fields.getUint32(0);
    const status = type === "RST_STREAM" ? ` ${fields.getUint32(4)}` : "";
    return { type, id, end, data, short: `${type} ${id}${status}` };
  }

  /** Frames up to one that the test waits for, in short. */
  async until(last: (short: ShortFrame) => boolean): Promise<ShortFrame[]> {
    const frames: ShortFrame[] = [];
    do frames.push((await this.next()).short); while (!last(frames.at(-1)!));
    return frames;
  }

  /** Stops reading, as a program that is stuck does. */
  end(): void {
    this.#socket.end();
  }

  async #bytes(length: number): Promise<Uint8Array> {
    if (!this.#webSocket) return this.#source.exactly(length);
    while (this.#message.length < length) {
      const { opcode, payload } = await this.message();
      if (opcode !== 2) throw new Error(`WebSocket message ${opcode}`);
      this.#message.add(payload);
    }
    return this.#message.exactly(length);
  }
}

/** Bytes that have come, and those that will. */
class Source {
  #bytes: Uint8Array = new Uint8Array();
  #ended = false;
  #wake = () => {};

  constructor(socket: tls.TLSSocket | undefined) {
    socket?.on("data", (chunk: Uint8Array) => this.add(chunk));
    for (const event of ["end", "close", "error"]) {
      socket?.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  get length(): number {
    return this.#bytes.length;
  }

  add(chunk: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    this.#wake();
  }

  async exactly(length: number): Promise<Uint8Array> {
    while (this.#bytes.length < length) await this.#more();
    const piece = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return piece;
  }

  async line(end: string): Promise<string> {
    for (;;) {
      const at = Buffer.from(this.#bytes).indexOf(end);
      if (at >= 0) return new TextDecoder().decode(await this.exactly(at + end.length));
      await this.#more();
    }
  }

  #more(): Promise<void> {
    if (this.#ended) throw new Error("The server has ended the connection");
    return new Promise((resolve) => this.#wake = resolve);
  }
}

function controlFrame(type: number, payload: readonly number[]): Uint8Array {
  return Uint8Array.of(0x80, 3, 0, type, ...uint32(payload.length), ...payload);
}

function uint32(value: number): number[] {
  return [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];
}

function webSocketFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const mask = [1, 2, 3, 4];
  const length = payload.length < 126
    ? [payload.length]
    : payload.length < 65536
    ? [126, payload.length >> 8, payload.length & 255]
    : [127, 0, 0, 0, 0, ...uint32(payload.length)];
  length[0]! |= 0x80;
  return Buffer.concat([
    Uint8Array.of(0x80 | opcode, ...length, ...mask),
    payload.map((byte, i) => byte ^ mask[i & 3]!),
  ]);
}
