import { concatBytes } from "../stream/concat_bytes.ts";
import type { Duplex } from "../stream/duplex.ts";

/** The carrier of a SPDY session: ordered bytes both ways. */
export interface Wire {
  /** As `Duplex.read`. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes all parts in order, as one piece where the carrier has pieces; at most one write at a time. */
  write(parts: readonly Uint8Array[]): Promise<void>;
  /** Ends the connection at once; a read under way ends. Never throws. */
  close(): void;
}

/** A wire of nothing but the connection's own bytes, for plain SPDY. `read` stands in front: bytes that came behind the upgrade. */
export function plainWire(connection: Duplex, read: Wire["read"]): Wire {
  return {
    read,
    write: (parts) => connection.write(concatBytes(parts)),
    close: () => connection.reset(),
  };
}
