import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import type { Duplex } from "../stream/duplex.ts";
import { longestQuery } from "./query.ts";
import type { Responder } from "./responder.ts";

/** Queries of one connection under way at a time; it is not read further until one is answered. */
const mostPipelined = 16;
/** Milliseconds in which a connection has to send a whole query or take a whole answer (RFC 7766 §6.2.3). */
const idleTime = 10_000;

/** What it takes to serve a connection. */
export interface TcpDeps {
  readonly responder: Responder;
  readonly clock: Clock;
  readonly log: Log;
  /** How the queries reached whoever sends them here: answers to datagrams are as short as their askers want them. Default `tcp`. */
  readonly transport?: "tcp" | "udp";
}

/**
 * Answers the queries that come over a connection, each behind its length in two bytes (RFC 1035 §4.2.2), several at a time and in any
 * order (RFC 7766 §7). Ends when the peer has ended and has its answers, is idle for 10 s, sends what is no query, or the signal
 * aborts; the stream is closed then. Never rejects.
 */
export async function serveTcp(
  stream: Duplex,
  { responder, clock, log, transport = "tcp" }: TcpDeps,
  signal: AbortSignal,
): Promise<void> {
  const reader = new BufferedReader(stream, longestQuery + 2);
  const underWay = new Set<Promise<void>>();
  let written: Promise<void> = Promise.resolve();
  let stopIdle = () => {};
  const stayAwake = () => {
    stopIdle();
    stopIdle = clock.after(idleTime, () => stream.reset());
  };

  const reply = async (message: Uint8Array): Promise<void> => {
    try {
      const response = await responder.respond(message, transport, signal);
      if (!response) return;
      const framed = new Uint8Array(2 + response.length);
      new DataView(framed.buffer).setUint16(0, response.length);
      framed.set(response, 2);
      written = written.then(() => stream.write(framed));
      await written;
      stayAwake();
    } catch (error) {
      fail(error);
    }
  };
  const fail = (error: unknown) => {
    if (!signal.aborted) log.debug(`DNS: a connection failed: ${error}`);
    stream.reset();
  };

  const reset = () => stream.reset();
  signal.addEventListener("abort", reset, { once: true });
  stayAwake();
  try {
    signal.throwIfAborted();
    for (let message = await nextMessage(reader); message; message = await nextMessage(reader)) {
      stayAwake();
      const done: Promise<void> = reply(message).finally(() => underWay.delete(done));
      underWay.add(done);
      if (underWay.size >= mostPipelined) await Promise.race(underWay);
    }
  } catch (error) {
    fail(error);
  }
  await Promise.all(underWay);
  stopIdle();
  signal.removeEventListener("abort", reset);
  stream.close();
}

/** Undefined at the end of the stream. */
async function nextMessage(reader: BufferedReader): Promise<Uint8Array | undefined> {
  if (reader.buffered.length === 0 && !await reader.fill()) return undefined;
  const [high = 0, low = 0] = await reader.exact(2, "the length of a DNS query");
  return (await reader.exact(high << 8 | low, "a DNS query")).slice();
}
