import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { createHash } from "node:crypto";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import { listenTcp } from "../../src/stream/listen_tcp.ts";
import type { TcpStream } from "../../src/stream/tcp_stream.ts";
import { readAll } from "./scripted_source.ts";

const never = new AbortController().signal;
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array) => new TextDecoder().decode(value);

/** A connection over loopback, both ends ours. */
async function connected(): Promise<{ near: TcpStream; far: TcpStream; close(): Promise<void> }> {
  const accepted = Promise.withResolvers<TcpStream>();
  const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, accepted.resolve);
  const near = await connectTcp("127.0.0.1", listener.port, never);
  const far = await accepted.promise;
  return {
    near,
    far,
    async close() {
      near.close();
      far.close();
      await listener.close();
    },
  };
}

/** Writes until the other end's buffers are full; resolves with the write that is stuck. */
async function fill(stream: TcpStream): Promise<{ written: number; stuck: Promise<void> }> {
  const block = new Uint8Array(1024 * 1024);
  for (let written = 0;; written += block.length) {
    const write = stream.write(block);
    write.catch(() => {});
    const done = await Promise.race([
      write.then(() => true),
      new Promise<false>((stop) => setTimeout(stop, 200, false)),
    ]);
    if (!done) return { written, stuck: write };
    // The systems' own buffers take some 10 MiB.
    if (written > 24 * block.length) throw new Error("24 MiB were taken that nobody read");
  }
}

function code(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

describe("TcpStream", () => {
  it("keeps half-close both ways", async () => {
    const { near, far, close } = await connected();
    await near.write(bytes("ask"));
    await near.closeWrite();
    assertEquals(text(await readAll(far)), "ask");
    await far.write(bytes("answer"));
    await far.closeWrite();
    assertEquals(text(await readAll(near)), "answer");
    assertEquals(await near.read(new Uint8Array(1)), null, "the end stays the end");
    await near.closeWrite();
    await close();
  });

  it("sends a true reset, which the other end's read rejects with", async () => {
    const { near, far, close } = await connected();
    const reading = far.read(new Uint8Array(10));
    near.reset();
    assertEquals(code(await assertRejects(() => reading)), "ECONNRESET");
    assertEquals(code(await assertRejects(() => far.read(new Uint8Array(10)))), "ECONNRESET");
    await assertRejects(() => far.write(bytes("late")));
    await far.closeWrite();
    await close();
  });

  it("ends a read under way when it is closed or reset here", async () => {
    for (const end of ["close", "reset"] as const) {
      const { near, close } = await connected();
      const reading = near.read(new Uint8Array(10));
      near[end]();
      near[end]();
      assertEquals(await reading, null);
      await assertRejects(() => near.write(bytes("late")));
      await near.closeWrite();
      await close();
    }
  });

  it("settles a write that is stuck when it is closed or reset, here or there", async () => {
    for (const [end, method] of [["near", "close"], ["near", "reset"], ["far", "reset"]] as const) {
      const pair = await connected();
      const { stuck } = await fill(pair.near);
      pair[end][method]();
      await assertRejects(() => stuck, Error, "", `${end} ${method}`);
      await pair.close();
    }
  });

  it("stops the writer while nobody reads, then gives every byte", async () => {
    const { near, far, close } = await connected();
    const { written, stuck } = await fill(near);
    let left = written + 1024 * 1024;
    const into = new Uint8Array(100_000);
    while (left > 0) left -= await far.read(into) ?? left;
    await stuck;
    assertEquals(left, 0);
    await close();
  });

  it("carries 32 MiB byte by byte as they were, in pieces of any size", async () => {
    const { near, far, close } = await connected();
    const sent = createHash("sha256"), got = createHash("sha256");
    const sending = (async () => {
      const block = new Uint8Array(131071);
      for (let total = 0, turn = 0; total < 32 * 1024 * 1024; turn++) {
        const piece = block.subarray(0, 1 + (turn * 7919) % block.length);
        for (let at = 0; at < piece.length; at += 4096) piece[at] = turn + at;
        sent.update(piece);
        await near.write(piece);
        total += piece.length;
      }
      await near.closeWrite();
    })();
    const into = new Uint8Array(50_000);
    for (let count; (count = await far.read(into)) !== null;) got.update(into.subarray(0, count));
    await sending;
    assertEquals(got.digest("hex"), sent.digest("hex"));
    await close();
  });

  it("reads what came before the end even when all of it came before the first read", async () => {
    const { near, far, close } = await connected();
    await far.write(bytes("hello"));
    await far.closeWrite();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertEquals(text(await readAll(near, 2)), "hello");
    await close();
  });

  it("names the other end", async () => {
    const { near, far, close } = await connected();
    assertEquals(near.remote.startsWith("127.0.0.1:"), true);
    assertEquals(far.remote.startsWith("127.0.0.1:"), true);
    await close();
  });
});

describe("connectTcp", () => {
  it("rejects with the system's words", async () => {
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, () => {});
    await listener.close();
    const refused = await assertRejects(() => connectTcp("127.0.0.1", listener.port, never));
    assertEquals(code(refused), "ECONNREFUSED");
    const named = await assertRejects(() => connectTcp("localhost", listener.port, never), Error, "ECONNREFUSED");
    assertEquals(code(named), "ECONNREFUSED");
  });

  it("connects by name and over IPv6", async () => {
    for (const [listenAt, host] of [["127.0.0.1", "localhost"], ["::1", "::1"]] as const) {
      const listener = await listenTcp({ host: listenAt, port: 0 }, (stream) => stream.close()).catch((error) => {
        if (code(error) === "EADDRNOTAVAIL" || code(error) === "EAFNOSUPPORT") return undefined;
        throw error;
      });
      if (!listener) continue;
      const stream = await connectTcp(host, listener.port, never);
      stream.close();
      await listener.close();
    }
  });

  it("gives up with the signal's reason, before and during the attempt", async () => {
    const reason = new Error("not any more");
    assertEquals(await assertRejects(() => connectTcp("127.0.0.1", 9, AbortSignal.abort(reason))), reason);
    const controller = new AbortController();
    // RFC 5737: nobody answers there, or the system says so at once.
    const connecting = connectTcp("192.0.2.1", 9, controller.signal);
    controller.abort(reason);
    assertEquals(await assertRejects(() => connecting), reason);
  });
});

describe("listenTcp", () => {
  it("stops listening at once, while connections live on", async () => {
    const accepted = Promise.withResolvers<TcpStream>();
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, accepted.resolve);
    const near = await connectTcp("127.0.0.1", listener.port, never);
    const far = await accepted.promise;
    await listener.close();
    await assertRejects(() => connectTcp("127.0.0.1", listener.port, never));
    await near.write(bytes("still here"));
    await near.closeWrite();
    assertEquals(text(await readAll(far)), "still here");
    near.close();
    far.close();
  });

  it("says that a port is taken", async () => {
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, () => {});
    const taken = await assertRejects(() => listenTcp({ host: "127.0.0.1", port: listener.port }, () => {}));
    assertEquals(code(taken), "EADDRINUSE");
    await listener.close();
  });

  it("takes 500 connections at once and mixes nothing up", async () => {
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => {
      readAll(stream).then(async (asked) => {
        await stream.write(asked);
        await stream.closeWrite();
        stream.close();
      });
    });
    await Promise.all(Array.from({ length: 500 }, async (_, index) => {
      const stream = await connectTcp("127.0.0.1", listener.port, never);
      await stream.write(bytes(`number ${index}`));
      await stream.closeWrite();
      assertEquals(text(await readAll(stream)), `number ${index}`);
      stream.close();
    }));
    await listener.close();
  });
});
