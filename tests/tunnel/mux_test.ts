import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { concatBytes } from "../../src/stream/concat_bytes.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { Mux, MuxError } from "../../src/tunnel/mux.ts";
import { FakeClock, settled, until } from "../fake_clock.ts";
import { duplexPair } from "../stream/duplex_pair.ts";
import { readAll } from "../stream/scripted_source.ts";

/** Two ends of a link; streams that either end is given are in `accepted`. */
function link(onStream: (stream: Duplex) => void = () => {}) {
  const clock = new FakeClock();
  const [near, far] = duplexPair();
  const ends: Array<Error | undefined> = [];
  const accepted: Duplex[] = [];
  const client = new Mux(near, { role: "client", onStream, onEnd: (error) => ends.push(error) }, { clock });
  const server = new Mux(far, {
    role: "server",
    streamLimit: 8,
    onStream: (stream) => {
      accepted.push(stream);
      onStream(stream);
    },
    onEnd: (error) => ends.push(error),
  }, { clock });
  return { clock, client, server, accepted, ends, near, far };
}

/** A raw peer: what a Mux makes of bytes that no Mux would send. */
async function hear(bytes: readonly number[]): Promise<Error | undefined> {
  const [near, far] = duplexPair();
  const ended = Promise.withResolvers<Error | undefined>();
  new Mux(near, { role: "server", onStream: () => {}, onEnd: ended.resolve }, { clock: new FakeClock() });
  await far.write(Uint8Array.from(bytes));
  await far.closeWrite();
  const error = await ended.promise;
  far.close();
  return error;
}

async function readExactly(stream: Duplex, count: number): Promise<void> {
  const buffer = new Uint8Array(count);
  for (let left = count; left > 0;) left -= await stream.read(buffer.subarray(0, left)) ?? left;
}

const echo = async (stream: Duplex) => {
  const buffer = new Uint8Array(5000);
  for (let count; (count = await stream.read(buffer)) !== null;) await stream.write(buffer.slice(0, count));
  await stream.closeWrite();
};

describe("Mux", () => {
  it("carries any bytes over any number of streams at once, each in its order, with half-close", async () => {
    const anyStream = fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(anyStream, { maxLength: 6 }), async (streams) => {
        const { client, server } = link((stream) => void echo(stream));
        const answers = await Promise.all(streams.map(async (chunks) => {
          const stream = client.open();
          const answer = readAll(stream);
          for (const chunk of chunks) await stream.write(chunk);
          await stream.closeWrite();
          return await answer;
        }));
        assertEquals(answers, streams.map((chunks) => concatBytes(chunks)));
        assertEquals([client.size, server.size], [0, 0]);
        client.close();
        server.close();
      }),
      { numRuns: 30 },
    );
  });

  it("stops a writer whose reader stalls after one window, and nobody else", async () => {
    const { client, server, accepted } = link();
    const stalled = client.open();
    let written = 0;
    const writing = (async () => {
      for (; written < 100; written++) await stalled.write(new Uint8Array(65536));
    })().catch(() => {});
    await settled();
    const other = client.open();
    await other.write(new TextEncoder().encode("hello"));
    await settled();
    assertEquals(written, 4); // 256 KiB, and one more that waits
    const into = new Uint8Array(9);
    assertEquals(await accepted[1]?.read(into), 5);
    stalled.reset();
    await writing;
    client.close();
    server.close();
  });

  it("lets a reader that keeps up have up to 3 MiB on the way, and one that takes its time no more than at first", async () => {
    for (const [pause, window] of [[0, 3 * 1024 * 1024], [1_000, 256 * 1024]] as const) {
      const { clock, client, server, accepted } = link();
      const stream = client.open();
      await settled();
      const theirs = accepted[0]!;
      const chunk = new Uint8Array(128 * 1024);
      for (let i = 0; i < 32; i++) {
        await stream.write(chunk);
        await readExactly(theirs, chunk.length);
        await clock.advance(pause);
      }
      let taken = 0;
      const writing = (async () => {
        for (const kilobyte = new Uint8Array(1024); taken < 2 * window; taken += kilobyte.length) {
          await stream.write(kilobyte);
        }
      })();
      writing.catch(() => {});
      for (let before = -1; before !== taken;) {
        before = taken;
        await settled();
      }
      // What was read last is given back once it is half a window.
      assert(taken > window / 2 && taken <= window, `${taken} of ${window} bytes`);
      client.close();
      server.close();
    }
  });

  it("hands a reset to the other side as a reset, after what was sent before it", async () => {
    const { client, server, accepted } = link();
    const stream = client.open();
    await stream.write(Uint8Array.from([1, 2]));
    stream.reset();
    await settled();
    const into = new Uint8Array(9);
    assertEquals(await accepted[0]?.read(into), 2);
    const error = await assertRejects(() => accepted[0]?.read(into) ?? Promise.resolve(null), Error);
    assertEquals((error as { code?: string }).code, "ECONNRESET");
    client.close();
    server.close();
  });

  it("tells of a close as of an end, after what was sent before it, and forgets the stream once the other side has ended too", async () => {
    const { client, server, accepted } = link();
    const stream = client.open();
    await stream.write(Uint8Array.of(1, 2, 3));
    stream.close();
    await settled();
    const [theirs] = accepted;
    assertEquals(await readAll(theirs!), Uint8Array.of(1, 2, 3));
    assertEquals([client.size, server.size], [1, 1]);
    await theirs!.closeWrite();
    await until(() => client.size + server.size === 0, "both have forgotten it");
    client.close();
  });

  it("sends an end with what is begun next, in one write", async () => {
    const [near, far] = duplexPair();
    const writes: number[] = [];
    const counted: Duplex = {
      read: (into) => near.read(into),
      write: (data) => (writes.push(data.length), near.write(data)),
      closeWrite: () => near.closeWrite(),
      reset: () => near.reset(),
      close: () => near.close(),
    };
    const mux = new Mux(counted, { role: "client", onStream: () => {}, onEnd: () => {} }, { clock: new FakeClock() });
    const first = mux.open(true);
    await first.write(new Uint8Array(5));
    await first.closeWrite();
    await mux.open(true).write(new Uint8Array(5));
    assertEquals(writes, [12 + 12 + 5, 12 + 12 + 12 + 5]);
    mux.close();
    far.close();
  });

  it("answers what comes for a closed stream by a reset", async () => {
    const { client, server, accepted } = link();
    client.open().close();
    await settled();
    const [theirs] = accepted;
    await theirs!.write(Uint8Array.of(1));
    await settled();
    await assertRejects(() => theirs!.write(Uint8Array.of(2)), Error, "reset");
    assertEquals([client.size, server.size], [0, 0]);
    client.close();
  });

  it("resets a stream that is closed with something unread", async () => {
    const { client, accepted } = link();
    const stream = client.open();
    await settled();
    const [theirs] = accepted;
    await theirs!.write(Uint8Array.of(1));
    await settled();
    stream.close();
    await settled();
    await assertRejects(() => readAll(theirs!), Error, "reset");
    assertEquals(client.size, 0);
    client.close();
  });

  it("resets a stream that is closed in the middle of a write, so that it does not look whole", async () => {
    const { client, accepted } = link();
    const stream = client.open();
    const written = assertRejects(() => stream.write(new Uint8Array(300 * 1024)), Error, "broke");
    await settled();
    stream.close();
    await written;
    await settled();
    await assertRejects(() => readAll(accepted[0]!), Error, "reset");
    client.close();
  });

  it("forgets a closed stream whose other side never ends it after half a minute", async () => {
    const { clock, client, server, accepted } = link();
    client.open().close();
    await settled();
    const [theirs] = accepted;
    assertEquals(await readAll(theirs!), new Uint8Array());
    await clock.advance(29_999);
    assertEquals(client.size, 1);
    await clock.advance(1);
    await settled();
    assertEquals([client.size, server.size], [0, 0]);
    client.close();
  });

  it("refuses more streams than it may have, and goes on", async () => {
    const { client, server } = link();
    const streams = Array.from({ length: 9 }, () => client.open());
    await settled();
    await assertRejects(() => streams[8]!.read(new Uint8Array(1)), Error, "reset");
    assertEquals(server.size, 8);
    client.close();
    server.close();
  });

  it("link_silent: is over within 12 s of the other side's last word", async () => {
    const clock = new FakeClock();
    const [near, far] = duplexPair();
    const ends: Array<Error | undefined> = [];
    const mux = new Mux(near, { role: "client", onStream: () => {}, onEnd: (error) => ends.push(error) }, { clock });
    const stream = mux.open();
    const reading = assertRejects(() => stream.read(new Uint8Array(1)), Error, "silent");
    await clock.advance(12_000);
    assertEquals(ends.map(String), ["MuxError: The link has been silent for 4 s"]);
    await reading;
    far.close();
  });

  it("stays up for as long as pings are answered", async () => {
    const { client, server, clock, ends } = link();
    await clock.advance(60_000);
    assertEquals(ends, []);
    client.close();
    await settled();
    server.close();
    assertEquals(ends.length, 2);
    assertEquals(ends[0], undefined);
  });

  it("answers a ping while many streams wait to be sent, and ends the link of one that pings without reading", async () => {
    const ends: string[] = [];
    const [near, far] = duplexPair();
    const onEnd = (error: Error | undefined) => ends.push(String(error));
    const mux = new Mux(near, { role: "client", onStream: () => {}, onEnd }, { clock: new FakeClock() });
    const writes = [mux.open().write(new Uint8Array(100_000))];
    await settled();
    for (let i = 0; i < 200; i++) writes.push(mux.open().write(new Uint8Array(1)));
    const ping = Uint8Array.of(0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7);
    await far.write(ping);
    await settled();
    assertEquals(ends, []);
    await readExactly(far, 12 + 12 + 65536 + 12 + 100_000 - 65536 + 200 * (12 + 12 + 1));
    await Promise.all(writes);
    const pong = new Uint8Array(12);
    await far.read(pong);
    assertEquals(pong, Uint8Array.of(0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 7));
    const stuck = assertRejects(() => mux.open().write(new Uint8Array(100_000)), Error, "reset");
    await settled();
    await assertRejects(async () => {
      for (;;) await far.write(ping);
    }, Error);
    await stuck;
    assertEquals(ends, ["MuxError: The other side pings faster than it reads"]);
    far.close();
  });

  it("tells of a link that breaks under the answer to a ping in one place alone", async () => {
    const [near, far] = duplexPair();
    const ended = Promise.withResolvers<Error | undefined>();
    const broken: Duplex = {
      read: (into) => near.read(into),
      write: () => Promise.reject(new Error("no way out")),
      closeWrite: () => near.closeWrite(),
      reset: () => near.reset(),
      close: () => near.close(),
    };
    new Mux(broken, { role: "client", onStream: () => {}, onEnd: ended.resolve }, { clock: new FakeClock() });
    await far.write(Uint8Array.of(0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7));
    assertEquals((await ended.promise)?.message, "no way out");
    far.close();
  });

  it("fails every stream when the link breaks", async () => {
    const { client, server, near, ends } = link();
    const stream = client.open();
    await settled();
    near.reset();
    await assertRejects(() => stream.read(new Uint8Array(1)), Error);
    await assertRejects(() => stream.write(new Uint8Array(1)), Error);
    assertEquals(ends.length > 0, true);
    client.close();
    server.close();
  });

  it("ends the link on anything that is not yamux", async () => {
    assertEquals(String(await hear([1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])), "MuxError: yamux version 1 instead of 0");
    assertEquals(String(await hear([0, 9, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])), "MuxError: yamux frame of type 9");
    assertEquals(
      String(await hear([0, 1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0])),
      "MuxError: The other side may not open stream 2",
    );
    assertEquals(await hear([0, 0, 0, 0, 0, 0]) instanceof Error, true);
  });

  it("ends the link on any bytes with an error of its own, and never hangs", async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      assertEquals(await hear([...bytes]) instanceof Error, true);
    }));
  });

  it("does not let the other side send more than its window", async () => {
    const tooMuch = 256 * 1024 + 1;
    const head = [0, 0, 0, 1, 0, 0, 0, 1, tooMuch >>> 24, (tooMuch >>> 16) & 255, (tooMuch >>> 8) & 255, tooMuch & 255];
    const error = await hear([...head, ...new Array<number>(tooMuch).fill(0)]);
    assertEquals(error instanceof MuxError, true);
    assertEquals(error?.message, "More than its window on stream 1");
  });
});
