import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { createHash } from "node:crypto";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { listenTcp } from "../../src/stream/listen_tcp.ts";
import { relay, type RelayCount } from "../../src/stream/relay.ts";
import type { TcpStream } from "../../src/stream/tcp_stream.ts";
import { settled } from "../fake_clock.ts";
import { duplexPair } from "./duplex_pair.ts";
import { readAll } from "./scripted_source.ts";

const never = new AbortController().signal;
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array) => new TextDecoder().decode(value);

/** A client and a server of real sockets with a relay between them. */
async function relayed(): Promise<
  {
    client: TcpStream;
    server: TcpStream;
    count: RelayCount;
    outcome: Promise<Error | undefined>;
    close(): Promise<void>;
  }
> {
  const served = Promise.withResolvers<TcpStream>();
  const back = await listenTcp({ host: "127.0.0.1", port: 0 }, served.resolve);
  const count = { sent: 0, received: 0 };
  const outcome = Promise.withResolvers<Error | undefined>();
  const front = await listenTcp({ host: "127.0.0.1", port: 0 }, async (stream) => {
    outcome.resolve(await relay(stream, await connectTcp("127.0.0.1", back.port, never), count));
  });
  const client = await connectTcp("127.0.0.1", front.port, never);
  const server = await served.promise;
  return {
    client,
    server,
    count,
    outcome: outcome.promise,
    async close() {
      client.close();
      server.close();
      await outcome.promise;
      await Promise.all([front.close(), back.close()]);
    },
  };
}

describe("relay", () => {
  it("passes on the end of one direction and keeps the other", async () => {
    const { client, server, count, outcome, close } = await relayed();
    await client.write(bytes("question"));
    await client.closeWrite();
    assertEquals(text(await readAll(server)), "question");
    await server.write(bytes("long answer"));
    await server.closeWrite();
    assertEquals(text(await readAll(client)), "long answer");
    assertEquals(await outcome, undefined);
    assertEquals(count, { sent: 8, received: 11 });
    await close();
  });

  it("passes a reset on, from the client and from the server", async () => {
    for (const [from, to] of [["client", "server"], ["server", "client"]] as const) {
      const all = await relayed();
      await all[from].write(bytes("x"));
      assertEquals(await all[to].read(new Uint8Array(9)), 1);
      const reading = all[to].read(new Uint8Array(9));
      all[from].reset();
      const error = await assertRejects(() => reading, Error);
      assertEquals("code" in error && error.code, "ECONNRESET");
      const outcome = await all.outcome;
      assertEquals(outcome && "code" in outcome && outcome.code, "ECONNRESET");
      await all.close();
    }
  });

  it("passes a reset on while the other side does not read", async () => {
    const { client, server, outcome, close } = await relayed();
    const stuck = client.write(new Uint8Array(32 * 1024 * 1024)).catch(() => {});
    await server.read(new Uint8Array(9));
    server.reset();
    assertEquals(await outcome instanceof Error, true);
    await stuck;
    await close();
  });

  it("carries both directions at once, every byte as it was", async () => {
    const { client, server, count, close } = await relayed();
    const size = 24 * 1024 * 1024;
    const send = async (stream: Duplex, seed: number): Promise<string> => {
      const hash = createHash("sha256");
      const block = new Uint8Array(99_991);
      for (let left = size, turn = seed; left > 0; turn++) {
        const piece = block.subarray(0, Math.min(left, 1 + (turn * 6007) % block.length));
        piece.fill(turn);
        hash.update(piece);
        await stream.write(piece);
        left -= piece.length;
      }
      await stream.closeWrite();
      return hash.digest("hex");
    };
    const receive = async (stream: Duplex): Promise<string> => {
      const hash = createHash("sha256");
      const into = new Uint8Array(70_000);
      for (let n; (n = await stream.read(into)) !== null;) hash.update(into.subarray(0, n));
      return hash.digest("hex");
    };
    const [up, down, upGot, downGot] = await Promise.all([
      send(client, 1),
      send(server, 2),
      receive(server),
      receive(client),
    ]);
    assertEquals(upGot, up);
    assertEquals(downGot, down);
    assertEquals(count, { sent: size, received: size });
    await close();
  });

  it("stops reading while the other side takes nothing", async () => {
    const [client, near] = duplexPair(1000);
    const [far, server] = duplexPair(1000);
    const count = { sent: 0, received: 0 };
    const done = relay(near, far, count);
    let wrote = 0;
    const writing = (async () => {
      for (; wrote < 200; wrote++) await client.write(new Uint8Array(1000));
      await client.closeWrite();
    })();
    await settled();
    assertEquals(wrote < 10, true, `${wrote} blocks were taken`);
    assertEquals((await readAll(server)).length, 200_000);
    await server.closeWrite();
    await writing;
    assertEquals(await done, undefined);
    assertEquals(count.sent, 200_000);
  });

  it("reads with small buffers while little comes, and with larger ones the more there is", async () => {
    const sizes: number[] = [];
    const [, far] = duplexPair();
    let left = 2_000_000;
    const greedy: Duplex = {
      read(into) {
        sizes.push(into.length);
        if (left <= 0) return Promise.resolve(null);
        left -= into.length;
        return Promise.resolve(into.length);
      },
      write: () => Promise.resolve(),
      closeWrite: () => Promise.resolve(),
      reset() {},
      close() {},
    };
    const sink: Duplex = { ...greedy, read: () => Promise.resolve(null) };
    await relay(greedy, sink);
    assertEquals([...new Set(sizes)], [4096, 16384, 65536, 262144]);
    sizes.length = 0;
    left = 100;
    await relay({ ...greedy, read: (into) => (sizes.push(into.length), Promise.resolve(left-- > 0 ? 1 : null)) }, sink);
    assertEquals([...new Set(sizes)], [4096]);
    far.close();
  });

  it("resets both and tells why when a write fails", async () => {
    const [client, near] = duplexPair();
    const [far, server] = duplexPair();
    const done = relay(near, far);
    server.reset();
    await client.write(bytes("x")).catch(() => {});
    assertEquals((await done)?.message, "reset by the other end");
    assertEquals([near.wasReset, far.wasReset], [true, true]);
    await assertRejects(() => client.read(new Uint8Array(1)), Error, "reset by the other end");
  });

  it("makes an error of whatever was thrown, and never rejects", async () => {
    const [, near] = duplexPair();
    const broken: Duplex = {
      read: () => Promise.reject("bare words"),
      write: () => Promise.resolve(),
      closeWrite: () => Promise.reject(new Error("no")),
      reset() {},
      close() {},
    };
    assertEquals((await relay(near, broken))?.message, "bare words");
  });

  it("closes both streams once both directions have ended", async () => {
    const [client, near] = duplexPair();
    const [far, server] = duplexPair();
    const done = relay(near, far);
    await client.closeWrite();
    await settled();
    assertEquals([near.closed, far.closed], [false, false]);
    await server.closeWrite();
    assertEquals(await done, undefined);
    assertEquals([near.closed, far.closed, near.wasReset, far.wasReset], [true, true, false, false]);
  });
});
