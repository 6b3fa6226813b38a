import type { Duplex } from "node:stream";
import type { Carrier } from "./carrier.ts";

/** What may wait for us before the client is held up. */
const most = 64 << 10;

/** An upgraded connection itself. */
export class SocketCarrier implements Carrier {
  readonly #socket: Duplex;
  readonly #hold: (held: boolean) => void;
  #arrived: Uint8Array[] = [];
  #waiting = 0;
  #ended = false;
  #wake: () => void = () => {};

  /** `hold` keeps the client's bytes away from the socket, which cannot do that itself: a paused TLS socket reads on. */
  constructor(socket: Duplex, hold: (held: boolean) => void) {
    this.#socket = socket;
    this.#hold = hold;
    socket.on("data", (chunk: Uint8Array) => {
      this.#arrived.push(chunk);
      this.#waiting += chunk.length;
      if (this.#waiting >= most) hold(true);
      this.#wake();
    });
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("end", end);
    socket.on("error", end);
    socket.on("close", end);
  }

  async read(): Promise<Uint8Array | null> {
    while (this.#arrived.length === 0) {
      if (this.#ended) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const chunk = this.#arrived.shift()!;
    this.#waiting -= chunk.length;
    if (this.#waiting < most) this.#hold(false);
    return chunk;
  }

  write(data: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      // A socket that was destroyed in the middle of a write does not always call back.
      const gone = () => reject(new Error("The client is gone"));
      if (this.#socket.destroyed) return gone();
      this.#socket.once("close", gone);
      this.#socket.write(data, (error) => {
        this.#socket.off("close", gone);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  close(): void {
    this.#socket.end();
    this.#socket.resume();
  }
}
