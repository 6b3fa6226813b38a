import { BufferedReader } from "../../src/stream/buffered_reader.ts";
import { bufferedDuplex } from "../../src/stream/buffered_duplex.ts";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { parseRequestHead } from "../../src/stream/http_head.ts";
import { listenTcp } from "../../src/stream/listen_tcp.ts";
import { relay } from "../../src/stream/relay.ts";

/** A proxy that forwards, for one test. */
export interface ForwardingProxy extends AsyncDisposable {
  readonly port: number;
  /** Destinations asked for, `host:port`. */
  readonly asked: string[];
}

/** How a {@linkcode ForwardingProxy} is spoken to. Both connect to loopback, whatever name they are asked for. */
export type ProxyKind = "http" | "socks5";

/** Starts a proxy on a free port. */
export async function startForwardingProxy(kind: ProxyKind): Promise<ForwardingProxy> {
  const asked: string[] = [];
  const streams: Duplex[] = [];
  const signal = new AbortController().signal;
  const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, async (stream) => {
    streams.push(stream);
    try {
      const reader = new BufferedReader(stream);
      const { host, port } = await (kind === "http" ? readConnect : readSocks)(stream, reader);
      asked.push(`${host}:${port}`);
      const far = await connectTcp("127.0.0.1", port, signal);
      streams.push(far);
      await stream.write(
        new TextEncoder().encode(kind === "http" ? "HTTP/1.1 200 OK\r\n\r\n" : "\x05\0\0\x01\0\0\0\0\0\0"),
      );
      await relay(bufferedDuplex(stream, reader), far);
    } catch {
      stream.close();
    }
  });
  return {
    port: listener.port,
    asked,
    async [Symbol.asyncDispose]() {
      for (const stream of streams) stream.close();
      await listener.close();
    },
  };
}

interface Destination {
  readonly host: string;
  readonly port: number;
}

async function readConnect(_stream: Duplex, reader: BufferedReader): Promise<Destination> {
  const { target } = parseRequestHead((await reader.head())!);
  const colon = target.lastIndexOf(":");
  return { host: target.slice(0, colon), port: Number(target.slice(colon + 1)) };
}

/** RFC 1928, names and no authentication only. */
async function readSocks(stream: Duplex, reader: BufferedReader): Promise<Destination> {
  const [, methods = 0] = await reader.exact(2);
  await reader.exact(methods);
  await stream.write(Uint8Array.of(5, 0));
  const [, , , type, length = 0] = await reader.exact(5);
  if (type !== 3) throw new TypeError("Not a name");
  const host = new TextDecoder().decode((await reader.exact(length)).slice());
  const [high = 0, low = 0] = await reader.exact(2);
  return { host, port: high << 8 | low };
}
