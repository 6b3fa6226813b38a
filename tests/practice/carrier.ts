/** The bytes of an upgraded connection, pulled. */
export interface Carrier {
  /** What is there next; null at the end, also after the client broke off. */
  read(): Promise<Uint8Array | null>;
  /** Resolves when the client may be sent more. Rejects when it is gone. */
  write(data: Uint8Array): Promise<void>;
  /** Ends both directions in good order. */
  close(): void;
}
