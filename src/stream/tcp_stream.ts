import net from "node:net";
import type { Duplex } from "./duplex.ts";

/**
 * A TCP connection. Built on `node:net` because Deno's own sockets cannot send a reset: dropping one always sends FIN first, and a peer
 * would take a broken transfer for a complete one. Reading is by pull all the same: at most one chunk waits while nobody reads.
 */
export class TcpStream implements Duplex {
  /** Address and port of the other end, `127.0.0.1:40312`. */
  readonly remote: string;
  readonly #socket: net.Socket;
  readonly #waiting: Uint8Array[] = [];
  #reader: { into: Uint8Array; resolve: (count: number | null) => void; reject: (error: Error) => void } | undefined;
  #ended = false;
  #error: Error | undefined;

  /** Takes over a connected socket that was made with `allowHalfOpen` and nobody has read from. */
  constructor(socket: net.Socket) {
    this.#socket = socket;
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Uint8Array) => this.#take(chunk));
    socket.on("end", () => this.#finish());
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#finish());
    socket.pause();
  }

  read(into: Uint8Array): Promise<number | null> {
    const chunk = this.#waiting[0];
    if (chunk) {
      const count = Math.min(chunk.length, into.length);
      into.set(chunk.subarray(0, count));
      if (count < chunk.length) this.#waiting[0] = chunk.subarray(count);
      else this.#waiting.shift();
      return Promise.resolve(count);
    }
    if (this.#error) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.#reader = { into, resolve, reject };
      this.#socket.resume();
    });
  }

  write(data: Uint8Array): Promise<void> {
    if (data.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#socket.write(data, (error) => error ? reject(this.#error ?? error) : resolve());
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed || this.#socket.writableEnded) return resolve();
      this.#socket.once("close", resolve);
      this.#socket.end(() => {
        this.#socket.off("close", resolve);
        resolve();
      });
    });
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

  #take(chunk: Uint8Array): void {
    const reader = this.#reader;
    if (!reader) {
      this.#waiting.push(chunk);
      this.#socket.pause();
      return;
    }
    this.#reader = undefined;
    const count = Math.min(chunk.length, reader.into.length);
    reader.into.set(chunk.subarray(0, count));
    if (count < chunk.length) {
      this.#waiting.push(chunk.subarray(count));
      this.#socket.pause();
    }
    reader.resolve(count);
  }

  #finish(): void {
    this.#ended = true;
    this.#reader?.resolve(null);
    this.#reader = undefined;
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#reader?.reject(error);
    this.#reader = undefined;
  }
}
