import { join } from "node:path";
import { BufferedReader } from "../../stream/buffered_reader.ts";
import { connectUnix } from "../../stream/connect_unix.ts";
import { frameDatagram } from "../../stream/datagram_frames.ts";
import type { Duplex } from "../../stream/duplex.ts";
import { listenTcp } from "../../stream/listen_tcp.ts";
import { relay } from "../../stream/relay.ts";
import { socketNames } from "./control_message.ts";

/** Where resolvers look; the second is not there where IPv6 is switched off. */
const addresses = ["127.0.0.1", "::1"];

/** Datagrams under way at a time; fewer than the connections that the resolver outside takes. */
const mostQueries = 64;

/** Hands DNS queries to port 53 of the namespace's loopback on to the resolver outside, and its answers back. */
export async function openDnsBridge(folder: string): Promise<void> {
  for (const host of addresses) {
    try {
      await listenTcp({ host, port: 53 }, (stream) => carryStream(stream, join(folder, socketNames.dns)));
      takeQueries(
        Deno.listenDatagram({ transport: "udp", hostname: host, port: 53 }),
        join(folder, socketNames.dnsDatagrams),
      );
    } catch (error) {
      if (host === addresses[0]) throw error;
    }
  }
}

async function carryStream(stream: Duplex, path: string): Promise<void> {
  try {
    await relay(stream, await connectUnix(path));
  } catch {
    stream.reset();
  }
}

async function takeQueries(socket: Deno.DatagramConn, path: string): Promise<void> {
  const underWay = new Set<Promise<unknown>>();
  for await (const [query, from] of socket) {
    // A query that gets no answer is asked again: such are datagrams.
    const asked: Promise<unknown> = ask(query, path).then((answer) => socket.send(answer, from)).catch(() => {})
      .finally(() => underWay.delete(asked));
    underWay.add(asked);
    if (underWay.size >= mostQueries) await Promise.race(underWay); // the others wait in the socket
  }
}

/** Rejects where there is no answer. */
async function ask(query: Uint8Array, path: string): Promise<Uint8Array> {
  const stream = await connectUnix(path);
  try {
    await stream.write(frameDatagram(query));
    const reader = new BufferedReader(stream, 65536);
    const [high = 0, low = 0] = await reader.exact(2, "an answer");
    return await reader.exact(high << 8 | low, "an answer");
  } finally {
    stream.close();
  }
}
