import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { SocketAddress } from "../../../src/cluster/parse_proc_net_tcp.ts";
import { connectTcp } from "../../../src/stream/connect_tcp.ts";
import { listenTcp } from "../../../src/stream/listen_tcp.ts";
import { type PublishedPort, PublishedPorts } from "../../../src/wiring/isolation/published_ports.ts";

const never = new AbortController().signal;

function open(): { ports: PublishedPorts; told: (readonly PublishedPort[])[]; carried: SocketAddress[] } {
  const told: (readonly PublishedPort[])[] = [], carried: SocketAddress[] = [];
  const ports = new PublishedPorts({
    onPublished: (published) => told.push(published),
    carry: (stream, inside) => {
      carried.push(inside);
      stream.write(Uint8Array.of(42)).then(() => stream.close());
    },
  });
  return { ports, told, carried };
}

/** A port that nobody has now. */
async function freePort(): Promise<number> {
  const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, () => {});
  await listener.close();
  return listener.port;
}

describe("PublishedPorts", () => {
  it("publishes a port under its own number, tells it once, and takes it back when the program has ended", async () => {
    const { ports, told, carried } = open();
    const port = await freePort();
    const both = [{ address: "0.0.0.0", port }, { address: "::", port }];
    await ports.set(both);
    await ports.set(both);
    assertEquals(told, [[{ inside: { address: "127.0.0.1", port }, port }]]);
    assertEquals(ports.ports, [port]);
    const stream = await connectTcp("127.0.0.1", port, never);
    assertEquals(await stream.read(new Uint8Array(8)), 1);
    assertEquals(carried, [{ address: "127.0.0.1", port }]);
    stream.close();
    await ports.set([]);
    await assertRejects(() => connectTcp("127.0.0.1", port, never));
    await ports.close();
  });

  it("takes another port where the same one is another program's", async () => {
    const { ports, told } = open();
    const other = await listenTcp({ host: "127.0.0.1", port: 0 }, () => {});
    await ports.set([{ address: "127.0.0.1", port: other.port }]);
    assert(told[0]?.[0]);
    assertEquals(told[0][0].inside.port, other.port);
    assertNotEquals(told[0][0].port, other.port);
    await ports.close();
    await other.close();
  });

  it("publishes nothing any more once it is closed", async () => {
    const { ports, told } = open();
    await ports.close();
    await ports.set([{ address: "127.0.0.1", port: await freePort() }]);
    assertEquals([told, ports.ports], [[], []]);
  });
});
