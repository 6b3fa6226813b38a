import type { Clock } from "../platform/clock.ts";
import { bufferedDuplex } from "../stream/buffered_duplex.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import type { Duplex } from "../stream/duplex.ts";
import { PrefixedStream } from "../stream/prefixed_stream.ts";
import { relay } from "../stream/relay.ts";
import { dial, DialFailure, dialUdp } from "./dial.ts";
import { formatJsonLine, readJsonLine } from "./json_line.ts";
import { parseDialRequest } from "./parse_message.ts";
import { type DialRequest, lineLimit, type StreamAnswer } from "./protocol.ts";

/** Milliseconds for the laptop to say where to. */
const patience = 10_000;
/** Milliseconds that an answer which nobody waits for may wait for bytes to go with. */
const answerDelay = 20;

/** Serves a stream that a laptop opened for a connection out of the pod (the relay); never rejects. */
export async function serveDial(stream: Duplex, deps: { readonly clock: Clock }): Promise<void> {
  const cancel = deps.clock.after(patience, () => stream.reset());
  try {
    const reader = new BufferedReader(stream, lineLimit + 1);
    const request = parseDialRequest(await readJsonLine(reader));
    cancel();
    const laptop = bufferedDuplex(stream, reader);
    let out: Duplex;
    try {
      out = await open(request, deps);
    } catch (error) {
      if (!(error instanceof DialFailure)) throw error;
      await stream.write(line({ ok: false, kind: error.kind, error: error.message }));
      await stream.closeWrite();
      return stream.close();
    }
    if (request.early) {
      await relay(new PrefixedStream(laptop, line({ ok: true }), answerDelay, deps), out);
    } else {
      await stream.write(line({ ok: true }));
      await relay(laptop, out);
    }
  } catch {
    cancel();
    stream.reset();
  }
}

function open({ network, host, port }: DialRequest, deps: { readonly clock: Clock }): Promise<Duplex> {
  return network === "udp" ? dialUdp(host, port, deps) : dial(host, port, deps);
}

function line(answer: StreamAnswer): Uint8Array {
  return formatJsonLine(answer);
}
