import { Buffer } from "node:buffer";
import { Packet } from "dns2";
import { BufferedReader } from "../../src/stream/buffered_reader.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { listenTcp } from "../../src/stream/listen_tcp.ts";

/** What a fake resolver sends for a query: messages over UDP, the first of them over TCP. */
export type Answering = (query: Uint8Array, transport: "udp" | "tcp") => readonly Uint8Array[];

/** Another resolver, on a port of its own. */
export interface FakeResolver extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** The queries that came so far. */
  readonly queries: readonly Uint8Array[];
  /** Resolves once `count` queries have come. */
  came(count: number): Promise<void>;
}

/** Opens a resolver that answers as `answering` says. */
export async function fakeResolver(answering: Answering): Promise<FakeResolver> {
  const queries: Uint8Array[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const take = (query: Uint8Array) => {
    queries.push(query);
    for (const { count, resolve } of waiting) if (queries.length >= count) resolve();
  };
  const serving = new Set<Promise<void>>();
  const tcp = await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => {
    serving.add(serveStream(stream, take, answering));
  });
  const udp = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: tcp.port });
  serving.add(serveDatagrams(udp, take, answering));
  return {
    host: "127.0.0.1",
    port: tcp.port,
    queries,
    came(count) {
      return new Promise((resolve) => queries.length >= count ? resolve() : waiting.push({ count, resolve }));
    },
    async [Symbol.asyncDispose]() {
      udp.close();
      await tcp.close();
      await Promise.all(serving);
    },
  };
}

/** An answer to `query` with these records. */
export function answerTo(
  query: Uint8Array,
  change: (packet: Packet) => void = () => {},
): Uint8Array {
  const request = Packet.parse(Buffer.from(query));
  const packet = Packet.createResponseFromRequest(request);
  change(packet);
  return packet.toBuffer();
}

async function serveDatagrams(socket: Deno.DatagramConn, take: (query: Uint8Array) => void, answering: Answering) {
  try {
    for await (const [query, from] of socket) {
      take(query);
      for (const message of answering(query, "udp")) await socket.send(message, from);
    }
  } catch {
    // Closed.
  }
}

async function serveStream(stream: Duplex, take: (query: Uint8Array) => void, answering: Answering) {
  const reader = new BufferedReader(stream, 65535);
  try {
    const [high = 0, low = 0] = await reader.exact(2);
    const query = (await reader.exact(high << 8 | low)).slice();
    take(query);
    const [message] = answering(query, "tcp");
    if (message) await stream.write(Uint8Array.from([message.length >> 8, message.length & 255, ...message]));
    while (await reader.fill()) reader.consume(reader.buffered.length);
  } catch {
    // Reset by the other end.
  } finally {
    stream.close();
  }
}
