import { assert, assertEquals, assertFalse, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Failure } from "../../src/platform/failure.ts";
import { openProxy, type ProxyDeps } from "../../src/proxy/server.ts";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import { listenTcp } from "../../src/stream/listen_tcp.ts";
import { DialError, type DialErrorKind } from "../../src/tunnel/dialer.ts";
import { FakeClock } from "../fake_clock.ts";
import { End } from "../stream/end.ts";
import { withFrontDoor } from "./front_door.ts";

const encode = (text: string) => [...new TextEncoder().encode(text)];
const socks5 = (host: string, port = 80) => [5, 1, 0, 5, 1, 0, 3, host.length, ...encode(host), port >> 8, port & 255];
const socks4a = (host: string) => [4, 1, 0, 80, 0, 0, 0, 1, 0, ...encode(host), 0];
const granted5 = [5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

/** Sends back what comes until the client ends its direction, then says goodbye. */
async function echo(end: End): Promise<void> {
  const into = new Uint8Array(1000);
  for (let count; (count = await end.reader.read(into)) !== null;) await end.stream.write(into.subarray(0, count));
  await end.send("bye");
}

const refused = new DialError("refused", '"closed:80" refused the connection');

describe("openProxy with SOCKS", () => {
  it("carries bytes both ways and keeps half-close, for SOCKS5, 4 and 4a", async () => {
    await withFrontDoor({ orders: echo, "10.0.0.1": echo }, async ({ connect, dialled }) => {
      for (
        const [request, answer] of [
          [socks5("orders"), granted5],
          [socks4a("orders"), [0, 90, 0, 0, 0, 0, 0, 0]],
          [[4, 1, 0, 80, 10, 0, 0, 1, 0], [0, 90, 0, 0, 0, 0, 0, 0]],
        ] as const
      ) {
        const client = await connect();
        await client.send(request);
        assertEquals(await client.bytes(answer.length), [...answer]);
        await client.send("ping");
        assertEquals(await client.text(4), "ping");
        await client.stream.closeWrite();
        assertEquals(await client.rest(), "bye");
      }
      assertEquals(dialled.map(({ host, port, early, client }) => [host, port, early, client]), [
        ["orders", 80, false, "127.0.0.1"],
        ["orders", 80, false, "127.0.0.1"],
        ["10.0.0.1", 80, false, "127.0.0.1"],
      ]);
    });
  });

  it("takes a request and the first data in one packet, or byte by byte", async () => {
    await withFrontDoor({ orders: echo }, async ({ connect }) => {
      const bytes = [...socks5("orders"), ...encode("hello")];
      const whole = await connect();
      await whole.send(bytes);
      assertEquals(await whole.bytes(granted5.length), granted5);
      assertEquals(await whole.text(5), "hello");
      const slow = await connect();
      for (const byte of bytes) await slow.send([byte]);
      assertEquals(await slow.bytes(granted5.length), granted5);
      assertEquals(await slow.text(5), "hello");
    });
  });

  it("answers with the reason's code, after the dial, and then ends in good order", async () => {
    const codes: Record<DialErrorKind, number> = {
      refused: 5,
      unknown: 4,
      "not-ready": 5,
      forbidden: 2,
      unreachable: 3,
      timeout: 6,
      unsupported: 1,
    };
    const kinds = Object.keys(codes) as DialErrorKind[];
    await withFrontDoor(
      Object.fromEntries(kinds.map((kind) => [kind, new DialError(kind, `It is ${kind}`)])),
      async ({ connect, told }) => {
        for (const kind of kinds) {
          const client = await connect();
          await client.send([...socks5(kind), ...encode("data that comes too early")]);
          assertEquals(await client.bytes(12), [5, 0, 5, codes[kind], 0, 1, 0, 0, 0, 0, 0, 0]);
          assertEquals(await client.rest(), "");
          client.stream.close();
          assert(told.includes(`debug It is ${kind}`));
        }
        const client = await connect();
        await client.send(socks4a("refused"));
        assertEquals(await client.bytes(8), [0, 91, 0, 0, 0, 0, 0, 0]);
      },
    );
  });

  it("waits for the dial before it answers", async () => {
    const dialling = Promise.withResolvers<void>();
    const outcome = Promise.withResolvers<never>();
    const router = {
      route: () =>
        Promise.resolve({
          via: "cluster" as const,
          dial() {
            dialling.resolve();
            return outcome.promise;
          },
        }),
    };
    await withFrontDoor({}, async ({ connect }) => {
      const client = await connect();
      await client.send(socks5("orders"));
      assertEquals(await client.bytes(2), [5, 0]);
      await dialling.promise;
      assertEquals(client.reader.buffered.length, 0);
      outcome.reject(refused);
      assertEquals((await client.bytes(10))[1], 5);
    }, { router });
  });

  it("passes a destination's reset on as a reset", async () => {
    const reset = async (end: End) => {
      await end.text(4);
      end.stream.reset();
    };
    await withFrontDoor({ orders: reset }, async ({ connect }) => {
      const client = await connect();
      await client.send([...socks5("orders"), ...encode("ping")]);
      await client.bytes(granted5.length);
      const error = await assertRejects(() => client.rest(), Error);
      assertEquals((error as Error & { code?: string }).code, "ECONNRESET");
    });
  });

  it("gives up a dial whose client breaks off", async () => {
    const aborted = Promise.withResolvers<void>();
    const dialling = Promise.withResolvers<void>();
    const router = {
      route: () =>
        Promise.resolve({
          via: "cluster" as const,
          dial: ({ signal }: { signal: AbortSignal }) =>
            new Promise<never>((_, reject) => {
              dialling.resolve();
              signal.addEventListener("abort", () => {
                aborted.resolve();
                reject(signal.reason);
              });
            }),
        }),
    };
    await withFrontDoor({}, async ({ connect }) => {
      const client = await connect();
      await client.send(socks5("orders"));
      await dialling.promise;
      client.stream.reset();
      await aborted.promise;
    }, { router });
  });

  it("asks for user and password where they are set, and is closed to SOCKS4 then", async () => {
    const credentials = { username: "u", password: "p" };
    await withFrontDoor({ orders: echo }, async ({ connect }) => {
      const right = await connect();
      await right.send([5, 1, 2, 1, 1, 117, 1, 112, ...socks5("orders").slice(3), ...encode("hello")]);
      assertEquals(await right.bytes(4), [5, 2, 1, 0]);
      assertEquals((await right.bytes(10))[1], 0);
      assertEquals(await right.text(5), "hello");
      const wrong = await connect();
      await wrong.send([5, 1, 2, 1, 1, 117, 1, 113, ...socks5("orders").slice(3)]);
      assertEquals(await wrong.rest(), "\x05\x02\x01\x01");
      const none = await connect();
      await none.send(socks5("orders"));
      assertEquals(await none.rest(), "\x05\xff");
      const old = await connect();
      await old.send(socks4a("orders"));
      assertEquals(await old.bytes(8), [0, 91, 0, 0, 0, 0, 0, 0]);
    }, { credentials });
  });
});

describe("openProxy", () => {
  it("closes what speaks no known protocol, and lives on", async () => {
    await withFrontDoor({ orders: echo }, async ({ connect, told }) => {
      for (
        const garbage of [[0], [0x80, 1, 2], [6], [0x16, 3, 1, 0, 200], [255, 254], encode(" GET / HTTP/1.1\r\n\r\n")]
      ) {
        const client = await connect();
        await client.send(garbage);
        assertEquals(await client.rest().catch(() => ""), "");
      }
      assertEquals(told.filter((line) => line.startsWith("warn")).length, 1);
      assertStringIncludes(told.find((line) => line.startsWith("warn"))!, "http://127.0.0.1:");
      assertFalse(told.some((line) => line.startsWith("error")));
      const client = await connect();
      await client.send(socks5("orders"));
      assertEquals(await client.bytes(granted5.length), granted5);
    });
  });

  it("warns of TLS once, however often it comes", async () => {
    await withFrontDoor({}, async ({ connect, told }) => {
      for (let time = 0; time < 3; time++) {
        const client = await connect();
        await client.send([0x16, 3, 1]);
        await client.rest().catch(() => "");
      }
      assertEquals(told.filter((line) => line.includes("TLS")).length, 1);
    });
  });

  it("closes a client that says nothing, or half of what it wants, after 30 s, but not a tunnel", async () => {
    const clock = new FakeClock();
    await withFrontDoor({ orders: echo }, async ({ connect }) => {
      const tunnel = await connect();
      await tunnel.send(socks5("orders"));
      await tunnel.bytes(granted5.length);
      const silent = await connect();
      const half = await connect();
      await half.send(socks5("orders").slice(0, 5));
      assertEquals(await half.bytes(2), [5, 0]);
      while (clock.pending < 2) await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(29_999);
      assertEquals(clock.pending, 2);
      await clock.advance(1);
      assertEquals(await silent.rest(), "");
      assertEquals(await half.rest(), "");
      await clock.advance(3_600_000);
      await tunnel.send("still there");
      assertEquals(await tunnel.text(11), "still there");
    }, { clock });
  });

  it("counts connections and bytes", async () => {
    await withFrontDoor({ orders: echo }, async ({ connect, proxy }) => {
      const client = await connect();
      await client.send([...socks5("orders"), ...encode("12345")]);
      await client.bytes(granted5.length + 5);
      assertEquals(proxy.counts(), { open: 1, total: 1, sent: 5, received: 5 });
      await client.stream.closeWrite();
      await client.rest();
      client.stream.close();
      while (proxy.counts().open > 0) await new Promise((resolve) => setImmediate(resolve));
      assertEquals(proxy.counts(), { open: 0, total: 1, sent: 5, received: 8 });
    });
  });

  it("counts no connection that was for its own pages alone", async () => {
    const pages: ProxyDeps["pages"] = {
      "GET /hello": { open: true, respond: () => ({ type: "text/plain", text: "hi" }) },
    };
    await withFrontDoor({}, async ({ connect, proxy }) => {
      const client = await connect();
      await client.send(`GET /hello HTTP/1.1\r\nHost: 127.0.0.1:${proxy.port}\r\nConnection: close\r\n\r\n`);
      assertStringIncludes(await client.rest(), "hi");
      assertEquals(proxy.counts(), { open: 0, total: 0, sent: 0, received: 0 });
    }, { pages });
  });

  it("warns why a tunnel to the cluster cannot be had, once for several tries, but not why a page cannot", async () => {
    const gone = new DialError("not-ready", 'Service "gone" has no ready pod');
    await withFrontDoor({ gone }, async ({ connect, told }) => {
      for (let time = 0; time < 2; time++) {
        for (const request of [socks5("gone", 443), socks4a("gone"), "CONNECT gone:443 HTTP/1.1\r\n\r\n"]) {
          const client = await connect();
          await client.send(request);
          await client.stream.closeWrite();
          await client.rest();
        }
      }
      const warnings = () => told.filter((line) => line.startsWith("warn"));
      // For port 443 and port 80.
      assertEquals(warnings(), Array(2).fill('warn Service "gone" has no ready pod'));
      const client = await connect();
      await client.send("GET http://gone:8080/ HTTP/1.1\r\nConnection: close\r\n\r\n");
      assertStringIncludes(await client.rest(), "no ready pod");
      assertEquals(warnings().length, 2);
    });
  });

  it("warns of hosts that are not the cluster's only where they may be meant so", async () => {
    const unknown = new DialError("unknown", '"orderz" is no service');
    const refused = new DialError("refused", "nobody listens there");
    const router: ProxyDeps["router"] = {
      route: ({ host }) =>
        Promise.resolve({
          via: "direct",
          ifUnknown: unknown,
          dial: () => Promise.reject(host === "orderz" ? unknown : refused),
        }),
    };
    await withFrontDoor({}, async ({ connect, told }) => {
      for (const host of ["orderz", "printer"]) {
        const client = await connect();
        await client.send(`CONNECT ${host}:443 HTTP/1.1\r\n\r\n`);
        await client.stream.closeWrite();
        await client.rest();
      }
      assertEquals(told.filter((line) => line.startsWith("warn")), ['warn "orderz" is no service']);
    }, { router });
  });

  it("does not warn of what a client no longer waits for", async () => {
    const clock = new FakeClock();
    const dialling = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const router: ProxyDeps["router"] = {
      route: () =>
        Promise.resolve({
          via: "cluster",
          dial: ({ signal }) =>
            new Promise((_, reject) => {
              signal.addEventListener("abort", () => {
                reject(signal.reason);
                ended.resolve();
              });
              dialling.resolve();
            }),
        }),
    };
    await withFrontDoor({}, async ({ connect, told }) => {
      const client = await connect();
      await client.send("CONNECT orders:443 HTTP/1.1\r\n\r\n");
      await dialling.promise;
      await client.stream.closeWrite();
      while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(10_000);
      await ended.promise;
      await client.rest();
      assertEquals(told.filter((line) => line.startsWith("warn")), []);
    }, { router, clock });
  });

  it("closes connections beyond its limit, says so once, and serves again when some have ended", async () => {
    await withFrontDoor({ orders: echo }, async ({ connect, proxy, told }) => {
      const first = await connect();
      await first.send(socks5("orders"));
      await first.bytes(granted5.length);
      for (let time = 0; time < 2; time++) {
        await assertRejects(async () => {
          const second = await connect();
          await second.send(socks5("orders"));
          await second.bytes(granted5.length);
        });
      }
      assertEquals(told.filter((line) => line.startsWith("warn")).length, 1);
      first.stream.close();
      while (proxy.counts().open > 0) await new Promise((resolve) => setImmediate(resolve));
      const third = await connect();
      await third.send(socks5("orders"));
      assertEquals(await third.bytes(granted5.length), granted5);
    }, { connections: 1 });
  });

  it("ends everything when it is closed: tunnels, requests, dials under way, half requests", async () => {
    const asked = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    // Never ends its own direction, whatever the client does.
    const stubborn = async (end: End) => {
      if ((await end.head()).startsWith("GET")) asked.resolve();
      while (await end.reader.fill().catch(() => false)) end.reader.consume(end.reader.buffered.length);
      await gone.promise;
      end.stream.close();
    };
    const dialling = Promise.withResolvers<void>();
    const destination = await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => void stubborn(new End(stream)));
    const router: ProxyDeps["router"] = {
      route: ({ host }) =>
        Promise.resolve({
          via: "cluster",
          dial({ signal }) {
            if (host === "orders") return connectTcp("127.0.0.1", destination.port, signal);
            dialling.resolve();
            return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
          },
        }),
    };
    await withFrontDoor({}, async ({ connect, proxy }) => {
      const tunnel = await connect();
      await tunnel.send(socks5("orders"));
      await tunnel.bytes(granted5.length);
      const request = await connect();
      await request.send("GET http://orders/ HTTP/1.1\r\n\r\n");
      await asked.promise;
      await (await connect()).send(socks5("nowhere"));
      await dialling.promise;
      const half = await connect();
      await half.send(socks5("orders").slice(0, 5));
      assertEquals(await half.bytes(2), [5, 0]);
      await proxy.close();
      assertEquals(proxy.counts().open, 0);
      for (const client of [tunnel, half, request]) assertEquals(await client.rest(), "");
      await assertRejects(() => connect(), Error, "ECONNREFUSED");
    }, { router });
    gone.resolve();
    await destination.close();
  });

  it("listens on ::1 with the same port where it can", async () => {
    const router = { route: () => Promise.reject(refused) };
    const proxy = await openProxy({ ports: [0], token: "t" }, { router });
    try {
      assertEquals(proxy.hosts[0], "127.0.0.1");
      for (const host of proxy.hosts) {
        const stream = await connectTcp(host, proxy.port, new AbortController().signal);
        await stream.write(Uint8Array.from(socks5("closed")));
        const into = new Uint8Array(2);
        assertEquals(await stream.read(into), 2);
        stream.close();
      }
    } finally {
      await proxy.close();
    }
  });

  it("takes the next port when one is taken, and names the port when none is left", async () => {
    const router = { route: () => Promise.reject(refused) };
    const taken = await listenTcp({ host: "127.0.0.1", port: 0 }, () => {});
    try {
      const proxy = await openProxy({ ports: [taken.port, 0], token: "t" }, { router });
      assert(proxy.port !== taken.port);
      await proxy.close();
      const error = await assertRejects(() => openProxy({ ports: [taken.port], token: "t" }, { router }), Failure);
      assertStringIncludes(error.message, `127.0.0.1:${taken.port} is taken by another program`);
      assertStringIncludes(error.message, "--port");
    } finally {
      await taken.close();
    }
  });

  it("says that an address is not this machine's", async () => {
    const router = { route: () => Promise.reject(refused) };
    await assertRejects(
      () => openProxy({ ports: [0], hosts: ["192.0.2.1"], token: "t" }, { router }),
      Failure,
      "192.0.2.1 is not an address of this machine",
    );
  });

  it("refuses to connect to itself", async () => {
    await withFrontDoor({}, async ({ connect, proxy, told, dialled }) => {
      for (const host of ["127.0.0.1", "localhost", "::1", "0.0.0.0", "127.1.2.3"]) {
        const client = await connect();
        await client.send(socks5(host, proxy.port));
        assertEquals((await client.bytes(12))[3], 2, host);
      }
      assertEquals(dialled.length, 0);
      assert(told.some((line) => line.includes("own port")));
    });
  });
});
