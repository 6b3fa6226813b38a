import type { SocketAddress } from "../../cluster/parse_proc_net_tcp.ts";
import type { Clock } from "../../platform/clock.ts";
import { formatIp, parseIp } from "../../platform/ip_address.ts";
import { connectTcp } from "../../stream/connect_tcp.ts";
import { BufferedReader } from "../../stream/buffered_reader.ts";
import { bufferedDuplex } from "../../stream/buffered_duplex.ts";
import type { Duplex } from "../../stream/duplex.ts";
import { FramedStream } from "../../stream/framed_stream.ts";
import { listenUnix, type UnixListener } from "../../stream/listen_unix.ts";
import { relay } from "../../stream/relay.ts";

/** Takes connections from outside to programs in this namespace, each behind what {@linkcode inwardHead} gives. */
export function takeConnections(path: string, deps: { readonly clock: Clock }): UnixListener {
  return listenUnix(path, deps, async (stream) => {
    const framed = new FramedStream(stream);
    try {
      await carryIn(framed);
    } catch {
      framed.reset(); // nothing listens there any more
    }
  });
}

/** What stands before the bytes of a connection to a program inside: the length of the address (4 or 16), the address, two bytes of port. */
export function inwardHead({ address, port }: SocketAddress): Uint8Array {
  const bytes = parseIp(address) ?? new Uint8Array(4);
  return Uint8Array.of(bytes.length, ...bytes, port >> 8, port & 255);
}

async function carryIn(stream: Duplex): Promise<void> {
  const reader = new BufferedReader(stream, 1024);
  const [length = 0] = await reader.exact(1, "an address");
  const host = formatIp((await reader.exact(length, "an address")).slice());
  const [high = 0, low = 0] = await reader.exact(2, "a port");
  const program = await connectTcp(host, high << 8 | low, new AbortController().signal);
  await relay(bufferedDuplex(stream, reader), program);
}
