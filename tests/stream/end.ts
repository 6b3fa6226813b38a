import { BufferedReader } from "../../src/stream/buffered_reader.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { readAll } from "./scripted_source.ts";

const encoder = new TextEncoder();
const latin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes);

/** One end of a connection, with what tests do to it. */
export class End {
  readonly reader: BufferedReader;

  constructor(readonly stream: Duplex) {
    this.reader = new BufferedReader(stream, 65536);
  }

  async send(data: string | readonly number[] | Uint8Array): Promise<void> {
    await this.stream.write(typeof data === "string" ? encoder.encode(data) : Uint8Array.from(data));
  }

  /** An HTTP head as text, its empty line left out; empty at the end of the connection. */
  async head(): Promise<string> {
    return latin1(await this.reader.head() ?? new Uint8Array(0)).trimEnd();
  }

  async text(length: number): Promise<string> {
    return latin1(await this.reader.exact(length));
  }

  async bytes(length: number): Promise<number[]> {
    return [...await this.reader.exact(length)];
  }

  /** Everything up to the end of the connection. */
  async rest(): Promise<string> {
    return new TextDecoder("latin1").decode(await readAll(this.reader));
  }
}
