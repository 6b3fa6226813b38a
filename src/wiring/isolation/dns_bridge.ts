import { join } from "node:path";
import { connectUnix } from "../../stream/connect_unix.ts";
import { FramedStream } from "../../stream/framed_stream.ts";
import { listenTcp } from "../../stream/listen_tcp.ts";
import { relay } from "../../stream/relay.ts";
import { socketNames } from "./control_message.ts";

/** Queries whose answer may still come; the oldest is given up for a new one. */
const mostQueries = 1024;

/** Hands DNS queries to port 53 of the namespace's loopback on to the resolver outside, and its answers back. */
export async function openDnsBridge(folder: string): Promise<void> {
  const addresses = ["127.0.0.1", "::1"];
  for (const host of addresses) {
    try {
      await listenTcp({ host, port: 53 }, async (stream) => {
        try {
          await relay(stream, new FramedStream(await connectUnix(join(folder, socketNames.dns))));
        } catch {
          stream.reset();
        }
      });
    } catch (error) {
      if (host === addresses[0]) throw error; // IPv6 may be switched off
    }
  }
  const outside = Deno.listenDatagram({ transport: "unixpacket", path: join(folder, socketNames.dnsClient) });
  const datagrams = new Datagrams(outside, { transport: "unixpacket", path: join(folder, socketNames.dnsDatagrams) });
  datagrams.takeAnswers();
  for (const hostname of addresses) {
    try {
      datagrams.takeQueries(Deno.listenDatagram({ transport: "udp", hostname, port: 53 }));
    } catch (error) {
      if (hostname === addresses[0]) throw error;
    }
  }
}

/** Queries of many programs over one socket, told from each other by ids of our own. */
class Datagrams {
  readonly #outside: Deno.DatagramConn;
  readonly #resolver: Deno.Addr;
  readonly #waiting = new Map<number, (answer: Uint8Array, view: DataView) => void>();
  #next = 0;

  constructor(outside: Deno.DatagramConn, resolver: Deno.Addr) {
    this.#outside = outside;
    this.#resolver = resolver;
  }

  async takeQueries(socket: Deno.DatagramConn): Promise<void> {
    for await (const [query, from] of socket) {
      if (query.length < 2) continue;
      const view = viewOf(query);
      const id = view.getUint16(0);
      this.#next = (this.#next + 1) & 0xffff;
      const [oldest] = this.#waiting.keys();
      if (this.#waiting.size >= mostQueries && oldest !== undefined) this.#waiting.delete(oldest);
      this.#waiting.delete(this.#next);
      this.#waiting.set(this.#next, (answer, view) => {
        view.setUint16(0, id);
        socket.send(answer, from).catch(() => {}); // who asked is gone
      });
      view.setUint16(0, this.#next);
      this.#outside.send(query, this.#resolver).catch(() => {}); // full: the program asks again
    }
  }

  async takeAnswers(): Promise<void> {
    for await (const [answer] of this.#outside) {
      if (answer.length < 2) continue;
      const view = viewOf(answer);
      const id = view.getUint16(0);
      const take = this.#waiting.get(id);
      this.#waiting.delete(id);
      take?.(answer, view);
    }
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
