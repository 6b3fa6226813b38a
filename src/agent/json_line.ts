import type { BufferedReader } from "../stream/buffered_reader.ts";
import { lineLimit } from "./protocol.ts";

/** A line of JSON as it is sent. */
export function formatJsonLine(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value) + "\n");
}

/**
 * Reads a line of JSON of at most {@linkcode lineLimit} bytes. Rejects with a SyntaxError where it is something else, with a RangeError where it is
 * longer, and as `BufferedReader.line` does. The reader needs a capacity of a byte more.
 */
export async function readJsonLine(reader: BufferedReader): Promise<unknown> {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await reader.line(lineLimit)));
}
