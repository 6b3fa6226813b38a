/**
 * A two-way byte stream. Everything that moves bytes speaks it: sockets, TLS, streams inside a tunnel.
 *
 * At most one `read` and one `write` may be under way at a time. Errors reject the call under way; a peer's reset rejects with
 * an error whose `code` is `ECONNRESET`.
 */
export interface Duplex {
  /** Reads what is there, at least one byte unless `into` is empty: resolves with the count, or with null once the peer has ended its direction. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes all of `data`; resolves once it may be reused, which is also when the peer may take more. */
  write(data: Uint8Array): Promise<void>;
  /** Ends our direction only. */
  closeWrite(): Promise<void>;
  /** Aborts both directions: the peer sees a connection reset where the transport can say so. Never throws. */
  reset(): void;
  /** Ends both directions in good order and frees the stream. Never throws, may be called again. */
  close(): void;
}
