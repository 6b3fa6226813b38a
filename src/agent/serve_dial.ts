import type { Clock } from "../platform/clock.ts";
import { bufferedDuplex } from "../stream/buffered_duplex.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import type { Duplex } from "../stream/duplex.ts";
import { relay } from "../stream/relay.ts";
import { dial, DialFailure, dialUdp } from "./dial.ts";
import { formatJsonLine, readJsonLine } from "./json_line.ts";
import { parseDialRequest } from "./parse_message.ts";
import { lineLimit, type StreamAnswer } from "./protocol.ts";

/** Milliseconds for the laptop to say where to. */
const patience = 10_000;

/** Serves a stream that a laptop opened for a connection out of the pod (the relay); never rejects. */
export async function serveDial(stream: Duplex, deps: { readonly clock: Clock }): Promise<void> {
  const cancel = deps.clock.after(patience, () => stream.reset());
  try {
    const reader = new BufferedReader(stream, lineLimit + 1);
    const { network, host, port } = parseDialRequest(await readJsonLine(reader));
    cancel();
    let out: Duplex;
    try {
      out = await (network === "udp" ? dialUdp : dial)(host, port, deps);
    } catch (error) {
      if (!(error instanceof DialFailure)) throw error;
      await answer(stream, { ok: false, kind: error.kind, error: error.message });
      await stream.closeWrite();
      return stream.close();
    }
    await answer(stream, { ok: true });
    await relay(bufferedDuplex(stream, reader), out);
  } catch {
    cancel();
    stream.reset();
  }
}

function answer(stream: Duplex, value: StreamAnswer): Promise<void> {
  return stream.write(formatJsonLine(value));
}
