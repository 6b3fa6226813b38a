import { assert, assertEquals, assertFalse, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import type { ControlPage } from "../../src/proxy/control_pages.ts";
import type { ProxyDeps } from "../../src/proxy/server.ts";
import { DialError } from "../../src/tunnel/dialer.ts";
import { FakeClock } from "../fake_clock.ts";
import type { End } from "../stream/end.ts";
import { withFrontDoor } from "./front_door.ts";

/** Answers each request of a connection with its number and first line. */
async function numbered(end: End): Promise<void> {
  for (let number = 1;; number++) {
    const head = await end.head();
    if (head === "") return;
    const body = `${number} ${head.split("\r\n", 1)[0]}`;
    await end.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  }
}

/** Answers one request with these bytes and closes. */
function once(answer: string): (end: End) => Promise<void> {
  return async (end) => {
    await end.head();
    await end.send(answer);
    await end.stream.closeWrite();
  };
}

/** The answer's head and, by its length, its body. */
async function answer(client: End): Promise<{ head: string; body: string }> {
  const head = await client.head();
  return { head, body: await client.text(Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)) };
}

const notReady = new DialError("not-ready", 'Service "dead" has no ready pod: dead-1 CrashLoopBackOff');

describe("serveHttp with CONNECT", () => {
  it("tunnels to any port, keeps half-close, and passes on what came with the request", async () => {
    const upper = async (end: End) => end.send((await end.rest()).toUpperCase());
    await withFrontDoor({ orders: upper }, async ({ connect, dialled }) => {
      const client = await connect();
      await client.send("CONNECT orders:5432 HTTP/1.1\r\nHost: orders:5432\r\n\r\nearly");
      assertEquals(await client.head(), "HTTP/1.1 200 Connection established");
      await client.send(" and late");
      await client.stream.closeWrite();
      assertEquals(await client.rest(), "EARLY AND LATE");
      assertEquals(dialled.map(({ host, port, early }) => [host, port, early]), [["orders", 5432, false]]);
    });
  });

  it("explains a failed dial", async () => {
    await withFrontDoor({ dead: notReady }, async ({ connect }) => {
      const client = await connect();
      await client.send("CONNECT dead:80 HTTP/1.1\r\n\r\nTLS that comes too early");
      const { head, body } = await answer(client);
      assertStringIncludes(head, "HTTP/1.1 503 Service Unavailable");
      assertStringIncludes(head, "X-Hawser-Error: not-ready");
      assertStringIncludes(head, "Connection: close");
      assertEquals(body, `${notReady.message}\n`);
      assertEquals(await client.rest(), "");
    });
  });

  it("counts as HTTPS for the choice of the user's own proxy, but for port 80", async () => {
    const schemes: string[] = [];
    const router: ProxyDeps["router"] = {
      route(_target, scheme) {
        schemes.push(scheme);
        return Promise.reject(notReady);
      },
    };
    await withFrontDoor({}, async ({ connect }) => {
      for (const first of ["CONNECT x.org:8443", "CONNECT x.org:80", "GET http://x.org:8443/"]) {
        const client = await connect();
        await client.send(`${first} HTTP/1.1\r\n\r\n`);
        await answer(client);
      }
      assertEquals(schemes, ["https", "tcp", "http"]);
    }, { router });
  });

  it("reads what a client sends too early before it closes, so that no reset takes the answer away", async () => {
    await withFrontDoor({ dead: notReady }, async ({ connect }) => {
      const client = await connect();
      await client.send("CONNECT dead:80 HTTP/1.1\r\n\r\n");
      assertStringIncludes((await answer(client)).head, "HTTP/1.1 503");
      await client.send(new Uint8Array(5_000_000));
      assertEquals(await client.rest(), "");
    });
  });

  it("refuses what is no HOST:PORT", async () => {
    await withFrontDoor({}, async ({ connect }) => {
      for (const target of ["orders", "orders:0", "orders:99999", "http://orders/", ":80", "a/b:80", "[::1"]) {
        const client = await connect();
        await client.send(`CONNECT ${target} HTTP/1.1\r\n\r\n`);
        assertMatch(await client.rest(), /^HTTP\/1\.1 400 [\s\S]*CONNECT takes HOST:PORT/, target);
      }
    });
  });
});

describe("serveHttp with absolute-form requests", () => {
  it("serves many requests to several hosts on one client connection, and keeps one connection to each", async () => {
    await withFrontDoor({ orders: numbered, mysql: numbered }, async ({ connect, dialled }) => {
      const client = await connect();
      const got: string[] = [];
      for (const host of ["orders", "orders", "mysql", "ORDERS"]) {
        await client.send(`GET http://${host.toLowerCase()}:8080/x HTTP/1.1\r\nHost: ignored\r\n\r\n`);
        got.push((await answer(client)).body);
      }
      assertEquals(got, ["1 GET /x HTTP/1.1", "2 GET /x HTTP/1.1", "1 GET /x HTTP/1.1", "3 GET /x HTTP/1.1"]);
      assertEquals(dialled.map(({ host, early }) => [host, early]), [["orders", true], ["mysql", true]]);
    });
  });

  it("answers pipelined requests in their order", async () => {
    await withFrontDoor({ orders: numbered }, async ({ connect }) => {
      const client = await connect();
      await client.send(["a", "b", "c"].map((path) => `GET http://orders/${path} HTTP/1.1\r\n\r\n`).join("\r\n"));
      for (const expected of ["1 GET /a HTTP/1.1", "2 GET /b HTTP/1.1", "3 GET /c HTTP/1.1"]) {
        assertEquals((await answer(client)).body, expected);
      }
    });
  });

  it("carries bodies by length and in chunks, whatever the pieces", async () => {
    const sink = async (end: End) => {
      const head = await end.head();
      const length = /Content-Length: (\d+)/.exec(head)?.[1];
      let body = "";
      if (length) body = await end.text(Number(length));
      else while (!body.endsWith("0\r\nT: x\r\n\r\n")) body += await end.text(1);
      await end.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    };
    await withFrontDoor({ orders: sink }, async ({ connect }) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.string({ minLength: 1, unit: "grapheme-ascii" }), { maxLength: 5 }),
          async (pieces) => {
            const client = await connect();
            const all = pieces.join("");
            await client.send(`POST http://orders/ HTTP/1.1\r\nContent-Length: ${all.length}\r\n\r\n`);
            for (const piece of pieces) await client.send(piece);
            if (all !== "") assertEquals((await answer(client)).body, all);
            client.stream.close();
            const chunked = await connect();
            await chunked.send("POST http://orders/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (const piece of pieces) await chunked.send(`${piece.length.toString(16)};x=y\r\n${piece}\r\n`);
            await chunked.send("0\r\nT: x\r\n\r\n");
            const { body } = await answer(chunked);
            assertEquals(body.replace(/[0-9a-f]+\r\n/, "").length > 0, true);
            assertEquals(dechunk(body), all);
            chunked.stream.close();
          },
        ),
        { numRuns: 20 },
      );
    });
  });

  it("re-frames chunked answers with their trailers, and unwraps them for HTTP/1.0", async () => {
    const answerInChunks = once(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: x\r\n\r\n",
    );
    await withFrontDoor({ orders: answerInChunks }, async ({ connect }) => {
      const client = await connect();
      await client.send("GET http://orders/ HTTP/1.1\r\n\r\n");
      assertStringIncludes(await client.head(), "Transfer-Encoding: chunked");
      let body = "";
      while (!body.endsWith("0\r\nT: x\r\n\r\n")) body += await client.text(1);
      assertEquals(dechunk(body), "abcde");
      const old = await connect();
      await old.send("GET http://orders/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      const text = await old.rest();
      assertFalse(/transfer-encoding/i.test(text));
      assertStringIncludes(text, "Connection: close\r\n\r\nabcde");
    });
  });

  it("gives answers that end with the connection, and says so", async () => {
    await withFrontDoor({ orders: once("HTTP/1.0 200 OK\r\n\r\nto the end") }, async ({ connect }) => {
      const client = await connect();
      await client.send("GET http://orders/ HTTP/1.1\r\n\r\n");
      assertEquals(await client.rest(), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end");
    });
  });

  it("knows answers without a body: HEAD, 204, 304", async () => {
    const bodiless = async (end: End) => {
      for (let head; (head = await end.head()) !== "";) {
        const status = /\/(\d+)/.exec(head)?.[1];
        await end.send(`HTTP/1.1 ${status} X\r\n${status === "204" ? "" : "Content-Length: 1000\r\n"}\r\n`);
      }
    };
    await withFrontDoor({ orders: bodiless }, async ({ connect, dialled }) => {
      const client = await connect();
      for (const [method, status] of [["HEAD", 200], ["GET", 204], ["GET", 304], ["HEAD", 404]]) {
        await client.send(`${method} http://orders/${status} HTTP/1.1\r\n\r\n`);
        assertStringIncludes(await client.head(), `HTTP/1.1 ${status} X`);
      }
      assertEquals(dialled.length, 1);
    });
  });

  it("passes Expect and its 100 Continue on, and other interim answers, but none to HTTP/1.0", async () => {
    const patient = async (end: End) => {
      const head = await end.head();
      await end.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
      if (/expect: 100-continue/i.test(head)) await end.send("HTTP/1.1 100 Continue\r\n\r\n");
      await end.text(5);
      await end.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    };
    await withFrontDoor({ orders: patient }, async ({ connect }) => {
      const client = await connect();
      await client.send("PUT http://orders/ HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
      assertEquals(await client.head(), "HTTP/1.1 103 Early Hints\r\nLink: </x>");
      assertEquals(await client.head(), "HTTP/1.1 100 Continue");
      await client.send("hello");
      assertStringIncludes(await client.head(), "200 OK");
      const old = await connect();
      await old.send("PUT http://orders/ HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello");
      assertStringIncludes(await old.head(), "200 OK");
    });
  });

  it("gives an answer that comes before the body was sent, and ends the connection then", async () => {
    const clock = new FakeClock();
    await withFrontDoor({ orders: once("HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno") }, async ({ connect }) => {
      const client = await connect();
      await client.send("PUT http://orders/ HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
      const { head, body } = await answer(client);
      assertStringIncludes(head, "HTTP/1.1 417 No");
      assertStringIncludes(head, "Connection: close");
      assertEquals(body, "no");
      await clock.advance(1000);
      assertEquals(await client.rest(), "");
    }, { clock });
  });

  it("sends the rest of a body whose answer came early", async () => {
    const seen = Promise.withResolvers<string>();
    const hasty = async (end: End) => {
      await end.head();
      await end.send("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
      seen.resolve(await end.text(5).catch((error) => String(error)));
    };
    await withFrontDoor({ orders: hasty }, async ({ connect }) => {
      const client = await connect();
      await client.send("PUT http://orders/ HTTP/1.1\r\nContent-Length: 5\r\n\r\nhe");
      assertStringIncludes(await client.head(), "202 Accepted");
      await client.send("llo");
      assertEquals(await seen.promise, "hello");
      assertEquals(await client.rest(), "");
    });
  });

  it("refuses a big upload to nowhere without losing the answer", async () => {
    await withFrontDoor({ dead: notReady }, async ({ connect }) => {
      const client = await connect();
      const length = 5_000_000;
      await client.send(`PUT http://dead/ HTTP/1.1\r\nContent-Length: ${length}\r\n\r\n`);
      await client.send(new Uint8Array(length));
      assertStringIncludes((await answer(client)).head, "HTTP/1.1 503");
    });
  });

  it("holds an upload back while its destination does not read", async () => {
    const start = Promise.withResolvers<void>();
    const lazy = async (end: End) => {
      await start.promise;
      await end.head();
      const { length } = await end.rest();
      assertEquals(length, 100_000_000);
    };
    await withFrontDoor({ orders: lazy }, async ({ connect, proxy }) => {
      const client = await connect();
      await client.send("PUT http://orders/ HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n");
      const piece = new Uint8Array(1_000_000);
      let sent = 0;
      const sending = (async () => {
        for (; sent < 100; sent++) await client.send(piece);
      })().catch(() => {});
      // The sockets' own buffers take some MB; then everything must stand still.
      for (let last = -1; last !== proxy.counts().sent;) {
        last = proxy.counts().sent;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      assert(proxy.counts().sent < 30_000_000, `${proxy.counts().sent} bytes went through`);
      client.stream.close();
      start.resolve();
      await sending;
    });
  });

  it("turns into a tunnel after 101, with what came right behind it", async () => {
    const upgraded = async (end: End) => {
      const head = await end.head();
      assertStringIncludes(head, "Connection: Upgrade\r\nUpgrade: websocket");
      assertStringIncludes(head, "Sec-WebSocket-Key: x");
      await end.send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst frame",
      );
      await end.send(await end.text(4));
      await end.stream.closeWrite();
    };
    await withFrontDoor({ orders: upgraded }, async ({ connect }) => {
      for (const scheme of ["http", "ws"]) {
        const client = await connect();
        await client.send(
          `GET ${scheme}://orders/socket HTTP/1.1\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n`,
        );
        const head = await client.head();
        assertStringIncludes(head, "HTTP/1.1 101 Switching Protocols");
        assertStringIncludes(head, "Upgrade: websocket");
        assertEquals(await client.text(11), "first frame");
        await client.send("ping");
        assertEquals(await client.rest(), "ping");
      }
    });
  });

  it("goes on with HTTP when an upgrade is declined, and distrusts one that nobody asked for", async () => {
    await withFrontDoor({ orders: numbered, odd: once("HTTP/1.1 101 Surprise\r\n\r\n") }, async ({ connect }) => {
      const client = await connect();
      await client.send("GET http://orders/a HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
      assertEquals((await answer(client)).body, "1 GET /a HTTP/1.1");
      await client.send("GET http://orders/b HTTP/1.1\r\n\r\n");
      assertEquals((await answer(client)).body, "2 GET /b HTTP/1.1");
      await client.send("GET http://odd/ HTTP/1.1\r\n\r\n");
      assertStringIncludes((await answer(client)).head, "HTTP/1.1 502");
    });
  });

  it("explains a failed dial, in text or HTML, and keeps the client's connection", async () => {
    await withFrontDoor({ dead: notReady, orders: numbered }, async ({ connect }) => {
      const client = await connect();
      await client.send("GET http://dead/ HTTP/1.1\r\n\r\n");
      const { head, body } = await answer(client);
      assertStringIncludes(head, "HTTP/1.1 503");
      assertStringIncludes(head, "X-Hawser-Error: not-ready");
      assertEquals(body, `${notReady.message}\n`);
      await client.send("GET http://dead/ HTTP/1.1\r\nAccept: text/html\r\n\r\n");
      assertStringIncludes((await answer(client)).body, "<!doctype html>");
      await client.send("HEAD http://dead/ HTTP/1.1\r\n\r\n");
      assertStringIncludes(await client.head(), "HTTP/1.1 503");
      await client.send("GET http://orders/ HTTP/1.1\r\n\r\n");
      assertEquals((await answer(client)).body, "1 GET / HTTP/1.1");
    });
  });

  it("says 502 for a destination that closes without an answer, or does not speak HTTP", async () => {
    const parts = {
      mute: async (end: End) => void await end.head(),
      ssh: once("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
      endless: once("HTTP/1.1 200 OK\r\n" + "X: y\r\n".repeat(20_000)),
      twoLengths: once("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
      lengthAndChunks: once("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    };
    await withFrontDoor(parts, async ({ connect }) => {
      for (const host of Object.keys(parts)) {
        const client = await connect();
        await client.send(`GET http://${host}/ HTTP/1.1\r\n\r\n`);
        const { head, body } = await answer(client);
        assertStringIncludes(head, "HTTP/1.1 502", host);
        assertStringIncludes(body, `"${host}"`);
        client.stream.close();
      }
    });
  });

  it("resets the client when an answer breaks off, so that half of it cannot look whole", async () => {
    const answered = Promise.withResolvers<void>();
    const parts = {
      byLength: once("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
      inChunks: once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf"),
      reset: async (end: End) => {
        await end.head();
        await end.send("HTTP/1.1 200 OK\r\n\r\nhalf");
        await answered.promise;
        end.stream.reset();
      },
    };
    await withFrontDoor(parts, async ({ connect }) => {
      for (const host of Object.keys(parts)) {
        const client = await connect();
        await client.send(`GET http://${host}/ HTTP/1.1\r\n\r\n`);
        const error = await assertRejects(async () => {
          // On Windows a reset overtakes what has arrived and is not read yet, the head with it.
          assertStringIncludes(await client.head(), "200 OK");
          if (host === "reset") answered.resolve();
          await client.rest();
        }, Error);
        assertEquals((error as Error & { code?: string }).code, "ECONNRESET", host);
      }
    });
  });

  it("does not let half a request's body look whole to its destination", async () => {
    const seen = Promise.withResolvers<string>();
    const listen = async (end: End) => {
      seen.resolve(await end.head().then(() => end.rest()).then(() => "end", (error) => error.code));
    };
    await withFrontDoor({ orders: listen }, async ({ connect }) => {
      const client = await connect();
      await client.send("PUT http://orders/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
      await client.stream.closeWrite();
      assertEquals(await seen.promise, "ECONNRESET");
    });
  });

  it("uses another connection when a kept one was closed, but sends nothing twice that may not be", async () => {
    const closes = async (end: End) => {
      const [line] = (await end.head()).split("\r\n", 1);
      await end.send(`HTTP/1.1 200 OK\r\nContent-Length: ${line!.length}\r\n\r\n${line}`);
      await end.head();
    };
    await withFrontDoor({ orders: closes }, async ({ connect, dialled }) => {
      const client = await connect();
      for (const path of ["a", "b"]) {
        await client.send(`GET http://orders/${path} HTTP/1.1\r\n\r\n`);
        assertEquals((await answer(client)).body, `GET /${path} HTTP/1.1`);
      }
      assertEquals(dialled.length, 2);
      await client.send("POST http://orders/c HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
      assertEquals(await client.rest(), "");
      assertEquals(dialled.length, 2);
    });
  });

  it("notices that a kept connection was closed before the next request comes", async () => {
    const parts = { short: once("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), orders: numbered };
    await withFrontDoor(parts, async ({ connect, dialled }) => {
      const client = await connect();
      // The request in between gives the end of the first connection the time to arrive.
      for (const host of ["short", "orders", "short"]) {
        await client.send(`POST http://${host}/ HTTP/1.1\r\nContent-Length: 0\r\n\r\n`);
        assertStringIncludes((await answer(client)).head, "200 OK");
      }
      assertEquals(dialled.map(({ host }) => host), ["short", "orders", "short"]);
    });
  });

  it("does not keep a connection that is announced to close, has said something unasked, or has been quiet for 15 s", async () => {
    const clock = new FakeClock();
    const closed = Promise.withResolvers<void>();
    const parts = {
      polite: async (end: End) => {
        await end.head();
        await end.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        await end.rest();
      },
      talkative: async (end: End) => {
        await end.head();
        await end.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".repeat(2));
        await end.rest();
      },
      quiet: async (end: End) => {
        await numbered(end);
        closed.resolve();
      },
    };
    await withFrontDoor(parts, async ({ connect, dialled }) => {
      const client = await connect();
      for (const host of ["polite", "polite", "talkative", "talkative", "quiet", "quiet"]) {
        await client.send(`GET http://${host}/ HTTP/1.1\r\n\r\n`);
        assertStringIncludes((await answer(client)).head, "200 OK");
      }
      assertEquals(dialled.length, 5);
      await clock.advance(15_000);
      await closed.promise;
      await client.send("GET http://quiet/ HTTP/1.1\r\n\r\n");
      assertEquals((await answer(client)).body, "1 GET / HTTP/1.1");
    }, { clock });
  });

  it("lets go of a destination that still thinks when the client breaks off, or 10 s after it has said its last", async () => {
    const clock = new FakeClock();
    for (const leave of ["reset", "closeWrite"] as const) {
      const asked = Promise.withResolvers<void>();
      const left = Promise.withResolvers<void>();
      const thinks = async (end: End) => {
        await end.head();
        asked.resolve();
        await end.rest().catch(() => {});
        left.resolve();
      };
      await withFrontDoor({ orders: thinks }, async ({ connect, proxy }) => {
        const client = await connect();
        await client.send("GET http://orders/ HTTP/1.1\r\n\r\n");
        await asked.promise;
        await client.stream[leave]();
        if (leave === "closeWrite") {
          while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
          assertEquals(proxy.counts().open, 1);
          await clock.advance(10_000);
        }
        await left.promise;
      }, { clock });
    }
  });

  it("answers a client that has ended its direction after its request", async () => {
    await withFrontDoor({ orders: numbered }, async ({ connect }) => {
      const client = await connect();
      await client.send("GET http://orders/ HTTP/1.1\r\n\r\n");
      await client.stream.closeWrite();
      assertStringIncludes(await client.rest(), "1 GET / HTTP/1.1");
    });
  });

  it("closes a kept-alive client after five quiet minutes", async () => {
    const clock = new FakeClock();
    await withFrontDoor({ orders: numbered }, async ({ connect }) => {
      const client = await connect();
      await client.send("GET http://orders/ HTTP/1.1\r\n\r\n");
      await answer(client);
      await clock.advance(299_999);
      await client.send("GET http://orders/ HTTP/1.1\r\n\r\n");
      await answer(client);
      await clock.advance(300_000);
      assertEquals(await client.rest(), "");
    }, { clock });
  });
});

describe("serveHttp against requests that could be read in two ways", () => {
  const refused: Record<string, string> = {
    "two lengths": "POST http://orders/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks":
      "POST http://orders/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": "POST http://orders/ HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "a negative length": "POST http://orders/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "a length in words": "POST http://orders/ HTTP/1.1\r\nContent-Length: 1x\r\n\r\n",
    "folded lines": "GET http://orders/ HTTP/1.1\r\nX: a\r\n b\r\n\r\n",
    "space before the colon": "GET http://orders/ HTTP/1.1\r\nX : a\r\n\r\n",
    "no colon": "GET http://orders/ HTTP/1.1\r\nX\r\n\r\n",
    "a bare carriage return": "GET http://orders/ HTTP/1.1\r\nX: a\rb\r\n\r\n",
    "another HTTP": "GET http://orders/ HTTP/2.0\r\n\r\n",
    "no version": "GET http://orders/\r\n\r\n",
    "https in clear text": "GET https://orders/ HTTP/1.1\r\n\r\n",
    "another scheme": "GET ftp://orders/ HTTP/1.1\r\n\r\n",
    "letters that are no HTTP": "EHLO mail.example\r\n\r\n",
    "chunks in HTTP/1.0": "POST http://orders/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  };
  for (const [name, bytes] of Object.entries(refused)) {
    it(`refuses ${name}`, async () => {
      await withFrontDoor({ orders: numbered }, async ({ connect, dialled }) => {
        const client = await connect();
        await client.send(bytes);
        assertMatch(await client.rest(), /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*Connection: close\r\n\r\n.+\n$/);
        assertEquals(dialled.length, 0);
      });
    });
  }

  it("refuses chunks of impossible sizes, in the middle of a body too", async () => {
    const waits = async (end: End) => void await end.rest();
    await withFrontDoor({ orders: waits }, async ({ connect }) => {
      for (
        const chunk of [
          "zz\r\n",
          "-1\r\n",
          "0x5\r\nhello\r\n",
          "5\r\nhelloworld\r\n",
          "fffffffffffff\r\n",
          "1".repeat(2000),
          "\r\n",
        ]
      ) {
        const client = await connect();
        await client.send(`POST http://orders/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n${chunk}`);
        assertMatch(await client.rest(), /^HTTP\/1\.1 400 /, chunk);
      }
    });
  });

  it("refuses heads of more than 64 KiB", async () => {
    await withFrontDoor({}, async ({ connect }) => {
      const client = await connect();
      await client.send(`GET http://orders/ HTTP/1.1\r\n${"X: y\r\n".repeat(11_000)}`);
      assertMatch(await client.rest(), /^HTTP\/1\.1 431 /);
    });
  });

  it("takes bare line feeds, as RFC 9112 allows", async () => {
    await withFrontDoor({ orders: numbered }, async ({ connect }) => {
      const client = await connect();
      await client.send("GET http://orders/ HTTP/1.1\nHost: orders\n\n");
      assertEquals((await answer(client)).body, "1 GET / HTTP/1.1");
    });
  });

  it("never hangs or dies on garbage", async () => {
    const start = fc.constantFrom(
      "",
      "GET ",
      "GET http://orders/ HTTP/1.1\r\n",
      "POST http://orders/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "CONNECT ",
      "GET / HTTP/1.1\r\n\r\n",
    );
    await withFrontDoor({ orders: numbered }, async ({ connect, told, proxy }) => {
      await fc.assert(
        fc.asyncProperty(start, fc.uint8Array({ maxLength: 200 }), async (head, rest) => {
          const client = await connect();
          await client.send(`G${head}`.slice(head === "" ? 0 : 1));
          await client.send(rest);
          await client.stream.closeWrite();
          await client.rest().catch(() => "");
          client.stream.close();
        }),
        { numRuns: 60 },
      );
      while (proxy.counts().open > 0) await new Promise((resolve) => setImmediate(resolve));
      assertEquals(told.filter((line) => line.startsWith("error")), []);
    });
  });
});

describe("serveHttp with credentials", () => {
  const credentials = { username: "u", password: "p" };
  const basic = `Proxy-Authorization: Basic ${btoa("u:p")}\r\n`;

  it("asks for them with 407, and takes the right ones only", async () => {
    await withFrontDoor({ orders: numbered }, async ({ connect, dialled }) => {
      const client = await connect();
      for (const header of ["", `Proxy-Authorization: Basic ${btoa("u:x")}\r\n`, "Proxy-Authorization: Bearer p\r\n"]) {
        const each = await connect();
        await each.send(`GET http://orders/ HTTP/1.1\r\n${header}\r\n`);
        assertMatch(await each.rest(), /^HTTP\/1\.1 407 [\s\S]*Proxy-Authenticate: Basic realm="hawser"/);
      }
      assertEquals(dialled.length, 0);
      await client.send(`GET http://orders/ HTTP/1.1\r\n${basic}\r\n`);
      assertEquals((await answer(client)).body, "1 GET / HTTP/1.1");
      const tunnel = await connect();
      await tunnel.send(`CONNECT orders:80 HTTP/1.1\r\n${basic}\r\n`);
      assertStringIncludes(await tunnel.head(), "200");
    }, { credentials });
  });
});

describe("serveHttp with the tool's own pages", () => {
  const pages: Record<string, ControlPage> = {
    "GET /status": { respond: ({ query }) => ({ type: "application/json", text: `{"verbose":${query.has("v")}}` }) },
    "GET /proxy.pac": { open: true, respond: () => ({ type: "application/x-ns-proxy-autoconfig", text: "pac" }) },
    "POST /stop": { respond: ({ body }) => ({ type: "text/plain", text: new TextDecoder().decode(body) }) },
  };
  const ask = async (connect: () => Promise<End>, first: string, ...headers: string[]) => {
    const client = await connect();
    await client.send([`${first} HTTP/1.1`, ...headers, "Connection: close", "", ""].join("\r\n"));
    return await client.rest();
  };

  it("serves them to who knows the token, and the PAC file to everybody", async () => {
    await withFrontDoor({}, async ({ connect, proxy }) => {
      const host = `Host: 127.0.0.1:${proxy.port}`;
      assertStringIncludes(await ask(connect, "GET /status?v&token=secret", host), '{"verbose":true}');
      assertStringIncludes(
        await ask(connect, "GET /status", `Host: localhost:${proxy.port}`, "Authorization: Bearer secret"),
        '{"verbose":false}',
      );
      assertMatch(
        await ask(connect, "HEAD /status?token=secret", `Host: [::1]:${proxy.port}`),
        /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n$/,
      );
      const stop = await connect();
      await stop.send(`POST /stop HTTP/1.1\r\n${host}\r\nAuthorization: Bearer secret\r\nContent-Length: 3\r\n\r\nnow`);
      assertEquals((await answer(stop)).body, "now");
      const pac = await ask(connect, "GET /proxy.pac", host);
      assertStringIncludes(pac, "Content-Type: application/x-ns-proxy-autoconfig");
      assertMatch(await ask(connect, "GET /status", host), /^HTTP\/1\.1 403 /);
      assertMatch(await ask(connect, "GET /status?token=wrong", host), /^HTTP\/1\.1 403 /);
      assertMatch(await ask(connect, "POST /stop", host), /^HTTP\/1\.1 403 /);
      assertMatch(await ask(connect, "GET /", host), /^HTTP\/1\.1 404 /);
      assertMatch(await ask(connect, "PUT /status", host), /^HTTP\/1\.1 405 /);
      assertMatch(await ask(connect, "OPTIONS *", host), /^HTTP\/1\.1 404 /);
    }, { pages });
  });

  it("refuses to be used from the web: other hosts, other ports, no host", async () => {
    await withFrontDoor({}, async ({ connect, proxy }) => {
      for (
        const host of [
          "Host: evil.example",
          `Host: evil.example:${proxy.port}`,
          "Host: 127.0.0.1",
          "Host: 127.0.0.1:1",
          "X-Host: none",
        ]
      ) {
        for (const target of ["GET /proxy.pac", "GET /status?token=secret", "POST /stop"]) {
          assertMatch(await ask(connect, target, host), /^HTTP\/1\.1 403 /, `${target} ${host}`);
        }
      }
    }, { pages });
  });

  it("bounds what it is sent", async () => {
    await withFrontDoor({}, async ({ connect, proxy }) => {
      const client = await connect();
      await client.send(`POST /stop HTTP/1.1\r\nHost: 127.0.0.1:${proxy.port}\r\nContent-Length: 1000000\r\n\r\n`);
      await client.send(new Uint8Array(70_000));
      assertStringIncludes(await client.head(), "HTTP/1.1 413");
    }, { pages });
  });

  it("does not ask for the proxy's password there", async () => {
    await withFrontDoor({}, async ({ connect, proxy }) => {
      assertStringIncludes(await ask(connect, "GET /proxy.pac", `Host: 127.0.0.1:${proxy.port}`), "pac");
    }, { pages, credentials: { username: "u", password: "p" } });
  });
});

function dechunk(text: string): string {
  let body = "";
  for (let at = 0;;) {
    const end = text.indexOf("\r\n", at);
    const size = parseInt(text.slice(at, end), 16);
    if (!(size > 0)) return body;
    body += text.slice(end + 2, end + 2 + size);
    at = end + 4 + size;
  }
}
