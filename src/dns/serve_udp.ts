import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { longestQuery } from "./query.ts";
import type { Responder } from "./responder.ts";

/** Queries under way at a time; more are dropped, as a full network would, and their senders ask again. */
const mostQueries = 512;
/** Milliseconds of rest after a receive that failed, so that a lasting failure does not take the whole processor. */
const restTime = 100;

/** Answers the datagrams of `socket` until the signal aborts and the socket is closed. Never rejects. */
export async function serveUdp(
  socket: Pick<Deno.DatagramConn, "receive" | "send">,
  deps: { readonly responder: Responder; readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Promise<void> {
  let queries = 0;
  // As long as a datagram can be: Windows fails a receive that does not fit.
  const buffer = new Uint8Array(65535);
  while (!signal.aborted) {
    try {
      const [message, from] = await socket.receive(buffer);
      if (queries >= mostQueries) continue;
      queries++;
      // One byte too many is as malformed as all of it, and takes less room.
      reply(socket, message.slice(0, longestQuery + 1), from, deps, signal).finally(() => queries--);
    } catch (error) {
      if (signal.aborted) return;
      // Windows tells the next receive that an earlier answer met a closed port.
      if (error instanceof Deno.errors.ConnectionReset) continue;
      deps.log.debug(`DNS: receiving a datagram failed: ${error}`);
      await deps.clock.sleep(restTime, signal).catch(() => {});
    }
  }
}

async function reply(
  socket: Pick<Deno.DatagramConn, "receive" | "send">,
  message: Uint8Array,
  from: Deno.Addr,
  { responder, log }: { readonly responder: Responder; readonly log: Log },
  signal: AbortSignal,
): Promise<void> {
  try {
    const response = await responder.respond(message, "udp", signal);
    if (response) await socket.send(response, from);
  } catch (error) {
    if (!signal.aborted) log.debug(`DNS: an answer could not be sent: ${error}`);
  }
}
