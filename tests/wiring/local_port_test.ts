import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { listenTcp } from "../../src/stream/listen_tcp.ts";
import { type LocalPort, openLocalPort } from "../../src/wiring/local_port.ts";
import { until } from "../fake_clock.ts";

const never = new AbortController().signal;

async function readAll(stream: Duplex): Promise<string> {
  const buffer = new Uint8Array(1024);
  let text = "";
  for (let count = await stream.read(buffer); count !== null; count = await stream.read(buffer)) {
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return text;
}

/** A server that answers what it was sent, once the sender has ended. */
async function withEcho(action: (port: number) => Promise<void>): Promise<void> {
  const echo = await listenTcp({ host: "127.0.0.1", port: 0 }, async (stream) => {
    await stream.write(new TextEncoder().encode(await readAll(stream).catch(() => "")) as Uint8Array).catch(() => {});
    stream.close();
  });
  try {
    await action(echo.port);
  } finally {
    await echo.close();
  }
}

describe("openLocalPort", () => {
  it("carries bytes both ways and keeps half-close", async () => {
    await withEcho(async (port) => {
      const local = await openLocalPort({ host: "127.0.0.1", port: 0 }, {
        dial: (_, signal) => connectTcp("127.0.0.1", port, signal),
        onFailure: () => {},
      });
      const client = await connectTcp("127.0.0.1", local.port, never);
      await client.write(new TextEncoder().encode("hello"));
      await client.closeWrite();
      assertEquals(await readAll(client), "hello");
      client.close();
      await local.close();
      assertEquals([local.traffic, local.connections], [{ sent: 5, received: 5 }, 0]);
    });
  });

  it("resets a connection that cannot be had, and tells", async () => {
    const failures: string[] = [];
    const local = await openLocalPort({ host: "127.0.0.1", port: 0 }, {
      dial: () => Promise.reject(new Error("no pod is ready")),
      onFailure: (error) => failures.push(error.message),
    });
    const client = await connectTcp("127.0.0.1", local.port, never);
    const outcome = await readAll(client).catch((error) => error.code);
    assertEquals([outcome, failures], ["ECONNRESET", ["no pod is ready"]]);
    client.close();
    await local.close();
  });

  it("tells of a connection that the other end breaks, unless its caller has hung up", async () => {
    for (const [hangUp, told] of [["nothing", 1], ["end", 0], ["reset", 0]] as const) {
      const failures: Error[] = [];
      const served = Promise.withResolvers<Duplex>();
      const server = await listenTcp({ host: "127.0.0.1", port: 0 }, served.resolve);
      const local = await openLocalPort({ host: "127.0.0.1", port: 0 }, {
        dial: (_, signal) => connectTcp("127.0.0.1", server.port, signal),
        onFailure: (error) => failures.push(error),
      });
      const client = await connectTcp("127.0.0.1", local.port, never);
      await client.write(new TextEncoder().encode("good-bye"));
      const far = await served.promise;
      assertEquals(await far.read(new Uint8Array(8)), 8);
      if (hangUp === "end") {
        await client.closeWrite();
        assertEquals(await far.read(new Uint8Array(1)), null);
      } else if (hangUp === "reset") {
        client.reset();
        await assertRejects(() => far.read(new Uint8Array(1)));
      }
      far.reset();
      await until(() => local.connections === 0, "the end of the connection");
      client.close();
      await Promise.all([server.close(), local.close()]);
      assertEquals(failures.length, told, hangUp);
    }
  });

  it("cuts open connections when it closes, and complains about none", async () => {
    const failures: Error[] = [];
    await withEcho(async (port) => {
      const dialed = Promise.withResolvers<void>();
      const local: LocalPort = await openLocalPort({ host: "127.0.0.1", port: 0 }, {
        async dial(_, signal) {
          const stream = await connectTcp("127.0.0.1", port, signal);
          dialed.resolve();
          return stream;
        },
        onFailure: (error) => failures.push(error),
      });
      const client = await connectTcp("127.0.0.1", local.port, never);
      await dialed.promise;
      await local.close();
      assertEquals(await readAll(client).catch((error) => error.code), "ECONNRESET");
      client.close();
    });
    assertEquals(failures, []);
  });

  it("does not wait for a dial that hangs when it closes", async () => {
    const dialed = Promise.withResolvers<void>();
    const local = await openLocalPort({ host: "127.0.0.1", port: 0 }, {
      dial(_, signal) {
        dialed.resolve();
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
      onFailure: () => {},
    });
    const client = await connectTcp("127.0.0.1", local.port, never);
    await dialed.promise;
    await local.close();
    client.close();
  });

  it("says that a port is taken with the system's own code", async () => {
    await withEcho(async (port) => {
      const code = await openLocalPort({ host: "127.0.0.1", port }, { dial: () => Promise.reject(), onFailure() {} })
        .then(() => "", (error) => error.code);
      assertStringIncludes(code, "EADDRINUSE");
    });
  });
});
