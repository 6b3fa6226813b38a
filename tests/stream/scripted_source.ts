import { concatBytes } from "../../src/stream/concat_bytes.ts";
import type { Duplex } from "../../src/stream/duplex.ts";

/** A stream that gives `bytes` in pieces of the lengths that `cuts` names in turn, then ends. */
export function scriptedSource(bytes: Uint8Array, cuts: readonly number[] = []): Pick<Duplex, "read"> {
  let at = 0, turn = 0;
  return {
    read(into: Uint8Array): Promise<number | null> {
      if (at === bytes.length) return Promise.resolve(null);
      const cut = cuts.length > 0 ? cuts[turn++ % cuts.length] ?? 1 : bytes.length;
      const count = Math.min(cut, into.length, bytes.length - at);
      into.set(bytes.subarray(at, at + count));
      at += count;
      return Promise.resolve(count);
    },
  };
}

/** Everything that a stream still gives. */
export async function readAll(source: Pick<Duplex, "read">, pieceLimit: number = 4096): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const into = new Uint8Array(pieceLimit);
  for (let count; (count = await source.read(into)) !== null;) pieces.push(into.slice(0, count));
  return concatBytes(pieces);
}
