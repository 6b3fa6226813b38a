import net from "node:net";
import type { Counters } from "./counters.ts";

/** How much one direction of a connection may hold back: little, or what a long line holds in flight. */
const shortLine = 256 << 10;
const longLine = 16 << 20;

/** The line between clients and the API server: a TCP port in front of another one, where everything that befalls lines can befall. */
export class Line {
  readonly #counters: Counters;
  readonly #links = new Set<Link>();
  #server: net.Server | undefined;
  #port = 0;
  /** Port and host of the server. */
  to = 0;
  host = "127.0.0.1";
  /** Milliseconds added to a round trip. */
  roundTrip = 0;
  /** Bytes a second that clients, and the server, may read of one connection; 0 for no bound. */
  downloadRate = 0;
  uploadRate = 0;
  #swallows = false;

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  get port(): number {
    return this.#port;
  }

  /** Whether everything is swallowed just now. */
  get swallows(): boolean {
    return this.#swallows;
  }

  set swallows(value: boolean) {
    this.#swallows = value;
    for (const link of this.#links) link.changed();
  }

  /** Opens the port, the first time any free one, then always the same. */
  async listen(): Promise<void> {
    if (this.#server) return;
    const server = net.createServer(
      { allowHalfOpen: true, pauseOnConnect: true, noDelay: true },
      (near) => this.#accept(near),
    );
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#server = server;
    this.#port = (server.address() as net.AddressInfo).port; // a TCP server that listens has an AddressInfo
  }

  /** Closes the port and resets all connections. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    this.reset();
    await closed;
  }

  /** Resets all connections. */
  reset(): void {
    for (const link of [...this.#links]) link.reset();
  }

  /** The connection that the server knows by its client's port. */
  link(serverSidePort: number | undefined): Link | undefined {
    for (const link of this.#links) if (link.serverSidePort === serverSidePort) return link;
    return undefined;
  }

  #accept(near: net.Socket): void {
    this.#counters.connections++;
    this.#counters.openConnections++;
    const link = new Link(near, this.to, this, () => {
      this.#counters.openConnections--;
      this.#links.delete(link);
    });
    this.#links.add(link);
  }
}

/** One connection through the line. */
export class Link {
  readonly #near: net.Socket;
  #far: net.Socket | undefined;
  #up: Direction | undefined;
  #down: Direction | undefined;
  #handshake: ReturnType<typeof setTimeout> | undefined;
  #frozen = false;
  #held = false;

  constructor(near: net.Socket, to: number, line: Line, ended: () => void) {
    this.#near = near;
    near.on("error", () => this.reset());
    near.on("close", () => {
      clearTimeout(this.#handshake);
      this.#up?.close();
      this.#down?.close();
      this.#far?.destroy();
      ended();
    });
    // The handshake's own round trip; a line that swallows everything never gets that far.
    this.#handshake = setTimeout(() => {
      const far = this.#far = net.connect({ port: to, host: line.host, allowHalfOpen: true, noDelay: true });
      far.on("error", () => this.reset());
      far.on("close", () => this.#down!.finish(() => near.destroySoon())); // what the server said last has to reach the client
      this.#up = new Direction(near, far, line, () => line.uploadRate, () => this.#frozen || this.#held);
      this.#down = new Direction(far, near, line, () => line.downloadRate, () => this.#frozen);
    }, line.roundTrip);
  }

  get serverSidePort(): number | undefined {
    return this.#far?.localPort;
  }

  /** Lets nothing through in either direction. */
  set frozen(value: boolean) {
    this.#frozen = value;
    this.changed();
  }

  /** Keeps what the client sends away from the server, since a paused TLS socket reads on. */
  set held(value: boolean) {
    this.#held = value;
    this.changed();
  }

  /** The state of the line or of this connection has changed. */
  changed(): void {
    this.#up?.pump();
    this.#down?.pump();
  }

  reset(): void {
    this.#near.resetAndDestroy();
  }
}

/** One direction of a connection: chunks wait for their time. */
class Direction {
  readonly #to: net.Socket;
  readonly #from: net.Socket;
  readonly #line: Line;
  readonly #rate: () => number;
  readonly #stopped: () => boolean;
  readonly #queue: { chunk: Uint8Array | null; readonly due: number }[] = [];
  #waiting = 0;
  #full = false;
  #free = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #done: (() => void) | undefined;
  #closed = false;

  constructor(from: net.Socket, to: net.Socket, line: Line, rate: () => number, stopped: () => boolean) {
    this.#from = from;
    this.#to = to;
    this.#line = line;
    this.#rate = rate;
    this.#stopped = stopped;
    from.on("data", (chunk: Uint8Array) => this.#take(chunk));
    from.on("end", () => this.#take(null));
    to.on("drain", () => {
      this.#full = false;
      this.pump();
    });
    from.resume();
  }

  /** Calls back once all that waits has gone out. */
  finish(done: () => void): void {
    this.#done = done;
    this.pump();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  pump(): void {
    clearTimeout(this.#timer);
    while (!this.#closed && !this.#full && !this.#line.swallows && !this.#stopped()) {
      const next = this.#queue[0];
      if (!next) break;
      const wait = Math.max(next.due, this.#free) - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.pump(), wait);
        break;
      }
      if (next.chunk === null) {
        this.#queue.shift();
        this.#to.end();
        continue;
      }
      const rate = this.#rate();
      const piece = rate > 0 ? next.chunk.subarray(0, Math.ceil(rate / 50)) : next.chunk;
      next.chunk = next.chunk.subarray(piece.length);
      if (next.chunk.length === 0) this.#queue.shift();
      this.#waiting -= piece.length;
      if (rate > 0) this.#free = performance.now() + piece.length / rate * 1000;
      this.#full = !this.#to.write(piece);
    }
    const most = this.#line.roundTrip > 0 ? longLine : shortLine;
    if (this.#waiting >= most) this.#from.pause();
    else if (!this.#closed) this.#from.resume();
    if (this.#done && (this.#queue.length === 0 || this.#to.destroyed)) {
      this.close();
      this.#done();
    }
  }

  #take(chunk: Uint8Array | null): void {
    this.#queue.push({ chunk, due: performance.now() + this.#line.roundTrip / 2 });
    this.#waiting += chunk?.length ?? 0;
    this.pump();
  }
}
