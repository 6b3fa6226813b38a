import type { Duplex } from "./duplex.ts";

/**
 * One of Deno's own connections: TCP, TLS or a unix socket. Reading is by pull all the way down to the socket, at half the cost of `node:net`; what it
 * cannot do is send a TCP reset: `reset` ends the connection as `close` does, which TLS tells from a good end by the missing close_notify.
 */
export class NativeStream<C extends Deno.TcpConn | Deno.TlsConn | Deno.UnixConn = Deno.TcpConn | Deno.TlsConn>
  implements Duplex {
  readonly #conn: C;
  #closed = false;

  constructor(conn: C) {
    this.#conn = conn;
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (this.#closed) return null;
    try {
      return await this.#conn.read(into);
    } catch (error) {
      if (this.#closed) return null;
      throw error;
    }
  }

  async write(data: Uint8Array): Promise<void> {
    for (let sent = 0; sent < data.length;) sent += await this.#conn.write(sent === 0 ? data : data.subarray(sent));
  }

  async closeWrite(): Promise<void> {
    if (!this.#closed) await this.#conn.closeWrite();
  }

  reset(): void {
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  /** Gives the connection away, to have TLS put on top; this stream is closed from then on. */
  release(): C {
    this.#closed = true;
    return this.#conn;
  }
}
