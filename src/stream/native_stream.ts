import type { Duplex } from "./duplex.ts";

/**
 * One of Deno's own connections, TCP or TLS. Reading is by pull all the way down to the socket, at half the cost of `node:net`; what it
 * cannot do is send a TCP reset: `reset` ends the connection as `close` does, which TLS tells from a good end by the missing close_notify.
 */
export class NativeStream implements Duplex {
  readonly #conn: Deno.TcpConn | Deno.TlsConn;
  #closed = false;

  constructor(conn: Deno.TcpConn | Deno.TlsConn) {
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
  release(): Deno.TcpConn | Deno.TlsConn {
    this.#closed = true;
    return this.#conn;
  }
}
