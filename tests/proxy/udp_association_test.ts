import { assertEquals } from "@std/assert";
import dgram from "node:dgram";
import { describe, it } from "@std/testing/bdd";
import { systemClock } from "../../src/platform/clock.ts";
import { openProxy } from "../../src/proxy/server.ts";
import { formatSocksDatagram, parseSocksDatagram } from "../../src/proxy/socks_datagram.ts";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import { connectUdp } from "../../src/stream/connect_udp.ts";
import type { Target } from "../../src/tunnel/dialer.ts";
import { End } from "../stream/end.ts";
import { udpEcho } from "../stream/udp_echo.ts";

const never = new AbortController().signal;

/** A socket that remembers what comes. */
async function client() {
  const socket = dgram.createSocket("udp4");
  const arrived: Uint8Array[] = [];
  let wake = () => {};
  socket.on("message", (datagram: Uint8Array) => {
    arrived.push(datagram);
    wake();
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", () => resolve()));
  return {
    send: (datagram: Uint8Array, port: number) => socket.send(datagram, port, "127.0.0.1"),
    async next(): Promise<Uint8Array> {
      while (arrived.length === 0) await new Promise<void>((resolve) => wake = resolve);
      return arrived.shift()!;
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

describe("UDP ASSOCIATE", () => {
  it("carries one client's datagrams to each destination and back, until its connection ends", async () => {
    await using echo = await udpEcho();
    const dialled: Target[] = [];
    let ended = 0;
    const router = {
      carriesDatagrams: true,
      route: (target: Target) =>
        Promise.resolve({
          via: "relay" as const,
          async dial() {
            dialled.push(target);
            const stream = await connectUdp("127.0.0.1", echo.port, never, { clock: systemClock });
            const close = stream.close.bind(stream);
            return Object.assign(stream, { close: () => (ended++, close()) });
          },
        }),
    };
    const proxy = await openProxy({ ports: [0], hosts: ["127.0.0.1"], token: "t" }, { router });
    const control = new End(await connectTcp("127.0.0.1", proxy.port, never));
    await control.stream.write(Uint8Array.of(5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0));
    assertEquals([...await control.reader.exact(2)], [5, 0]);
    const reply = [...await control.reader.exact(10)];
    assertEquals(reply.slice(0, 8), [5, 0, 0, 1, 127, 0, 0, 1]);
    const port = reply[8]! << 8 | reply[9]!;
    {
      await using one = await client();
      await using other = await client();
      for (const host of ["kube-dns.kube-system", "10.96.0.10"]) {
        const target = { host, port: 53, network: "udp" as const };
        one.send(formatSocksDatagram({ target, data: new TextEncoder().encode(host) }), port);
        const answer = parseSocksDatagram(await one.next());
        assertEquals(answer?.target, target);
        assertEquals(new TextDecoder().decode(answer?.data), host);
        // Somebody else's datagram does not pass: the next that is dialled is the client's own.
        other.send(formatSocksDatagram({ target: { host: "intruder", port: 1 }, data: new Uint8Array(1) }), port);
      }
      assertEquals(dialled.map(({ host }) => host), ["kube-dns.kube-system", "10.96.0.10"]);
    }
    control.stream.close();
    await proxy.close();
    assertEquals(ended >= 2, true);
  });
});
