import net from "node:net";
import { ByteQueue } from "./byte_queue.ts";
import type { Duplex } from "./duplex.ts";
import { endWriting, writeTo } from "./writable.ts";

/** Bytes that are read ahead, so that reading and writing overlap in a relay. */
const ahead = 128 * 1024;

/**
 * A TCP connection. Built on `node:net` because Deno's own sockets cannot send a reset: dropping one always sends FIN first, and a peer
 * would take a broken transfer for a complete one. Reading is by pull all the same: a bounded amount waits while nobody reads.
 */
export class TcpStream implements Duplex {
  /** Address and port of the other end, `127.0.0.1:40312`. */
  readonly remote: string;
  readonly #socket: net.Socket;
  readonly #arrived = new ByteQueue();
  #error: Error | undefined;

  /** Takes over a connected socket that was made with `allowHalfOpen` and nobody has read from. */
  constructor(socket: net.Socket) {
    this.#socket = socket;
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Uint8Array) => {
      this.#arrived.push(chunk);
      if (this.#arrived.size >= ahead) socket.pause();
    });
    socket.on("end", () => this.#arrived.end());
    socket.on("error", (error) => {
      this.#error ??= error;
      this.#arrived.end(error);
    });
    socket.on("close", () => this.#arrived.end());
    socket.pause();
  }

  read(into: Uint8Array): Promise<number | null> {
    const read = this.#arrived.read(into);
    if (this.#arrived.size <= ahead / 2) this.#socket.resume();
    return read;
  }

  async write(data: Uint8Array): Promise<void> {
    try {
      await writeTo(this.#socket, data);
    } catch (error) {
      throw this.#error ?? error;
    }
  }

  closeWrite(): Promise<void> {
    return endWriting(this.#socket);
  }

  reset(): void {
    if (!this.#socket.destroyed) this.#socket.resetAndDestroy();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Seconds of quiet after which the system probes whether the other end is still there. */
  keepAlive(seconds: number): void {
    this.#socket.setKeepAlive(true, seconds * 1000);
  }
}
