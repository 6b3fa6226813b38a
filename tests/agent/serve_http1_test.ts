import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { settled, until } from "../fake_clock.ts";
import type { End } from "../stream/end.ts";
import { marked, withAgent } from "./agent_scene.ts";

const ask = (path: string, ...headers: readonly string[]) =>
  `GET ${path} HTTP/1.1\r\n${["Host: orders", ...headers].join("\r\n")}\r\n\r\n`;
const mark = "Version: alice";

/** Reads an answer whose length is announced. */
async function answer(client: End): Promise<{ head: string; body: string }> {
  const head = await client.head();
  return { head, body: await client.text(Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)) };
}

/** Sends a request and reads its answer's body. */
async function get(client: End, path: string, ...headers: readonly string[]): Promise<string> {
  await client.send(ask(path, ...headers));
  return (await answer(client)).body;
}

describe("serveHttp1", () => {
  it("passes what no rule takes to the original pods, over one connection for one of the client's", async () => {
    await withAgent(async (scene) => {
      const client = await scene.connect();
      assertEquals(await get(client, "/a"), "origin GET /a 0");
      await client.send("POST /b HTTP/1.1\r\nHost: orders\r\nContent-Length: 5\r\n\r\nhello");
      assertEquals((await answer(client)).body, "origin POST /b 5");
      await client.send(
        "POST /c HTTP/1.1\r\nHost: orders\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      );
      assertEquals((await answer(client)).body, "origin POST /c 5");
      await client.send("HEAD /d HTTP/1.1\r\nHost: orders\r\n\r\n");
      assertStringIncludes(await client.head(), "200 OK");
      assertEquals(await get(client, "/e"), "origin GET /e 0");
      assertEquals(scene.originConnections, 1);
    });
  });

  it("keep_alive_mixed_users: tells requests of different users apart on one connection", async () => {
    await withAgent(async (scene) => {
      const alice = await scene.laptop("alice"), bob = await scene.laptop("bob");
      await alice.rule(scene.rule([marked]));
      await bob.rule(scene.rule([{ ...marked, value: "bob" }]));
      const client = await scene.connect();
      for (let round = 0; round < 3; round++) {
        assertEquals(await get(client, "/a", mark), "alice GET /a 0");
        assertEquals(await get(client, "/b"), "origin GET /b 0");
        assertEquals(await get(client, "/c", "Version: bob"), "bob GET /c 0");
        assertEquals(await get(client, "/d", "Version: carol"), "origin GET /d 0");
      }
      assertEquals([scene.originConnections, alice.deliveries.length, bob.deliveries.length], [1, 1, 1]);
    });
  });

  it("answers pipelined requests of different users in their order", async () => {
    await withAgent(async (scene) => {
      await (await scene.laptop("alice")).rule(scene.rule([marked]));
      const client = await scene.connect();
      await client.send(ask("/1") + ask("/2", mark) + ask("/3") + ask("/4", mark));
      for (const expected of ["origin GET /1 0", "alice GET /2 0", "origin GET /3 0", "alice GET /4 0"]) {
        assertEquals((await answer(client)).body, expected);
      }
    });
  });

  it("tells the laptop which rule and which client a delivery is for", async () => {
    await withAgent(async (scene) => {
      const alice = await scene.laptop("alice");
      const rule = scene.rule([marked]);
      await alice.rule(rule);
      await get(await scene.connect(), "/", mark);
      assertEquals(alice.deliveries, [{ rule: rule.id, port: scene.port, remote: "127.0.0.1" }]);
    });
  });

  it("hands heads on as a reverse proxy does: the mark unchanged, X-Forwarded-For appended, nothing of the connection", async () => {
    const heads: string[] = [];
    const recording = async (end: End) => {
      for (let head; (head = await end.head()) !== "";) {
        heads.push(head);
        await end.send("HTTP/1.1 204 No Content\r\nKeep-Alive: timeout=5\r\n\r\n");
      }
    };
    await withAgent(async (scene) => {
      await (await scene.laptop("alice", recording)).rule(scene.rule([marked]));
      const client = await scene.connect();
      await client.send(
        ask("/", "X-Forwarded-For: 10.0.0.1, 10.0.0.2", "VERSION: alice", "Keep-Alive: 5", "TE: trailers"),
      );
      assertEquals(await client.head(), "HTTP/1.1 204 No Content");
      assertEquals(heads, [
        "GET / HTTP/1.1\r\nHost: orders\r\nVERSION: alice\r\nConnection: TE\r\nTE: trailers\r\nX-Forwarded-For: 10.0.0.1, 10.0.0.2, 127.0.0.1",
      ]);
      await client.send("GET /old HTTP/1.0\r\n\r\n");
      await client.head();
      assertEquals(heads[1], "GET /old HTTP/1.1\r\nHost: \r\nX-Forwarded-For: 127.0.0.1");
    }, { origin: recording });
  });

  it("keeps trailers both ways", async () => {
    const trailing = async (end: End) => {
      await end.head();
      let body = "";
      while (!body.endsWith("0\r\nX-Sum: 7\r\n\r\n")) body += await end.text(1);
      await end.send(
        "HTTP/1.1 200 OK\r\nTrailer: Grpc-Status\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nGrpc-Status: 0\r\n\r\n",
      );
    };
    await withAgent(async (scene) => {
      const client = await scene.connect();
      await client.send(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n",
      );
      assertStringIncludes(await client.head(), "Trailer: Grpc-Status");
      const body = "2\r\nok\r\n0\r\nGrpc-Status: 0\r\n\r\n";
      assertEquals(await client.text(body.length), body);
    }, { origin: trailing });
  });

  it("asks before it takes a body: 100-continue", async () => {
    const careful = async (end: End) => {
      assertStringIncludes(await end.head(), "Expect: 100-continue");
      await end.send("HTTP/1.1 100 Continue\r\n\r\n");
      await end.send(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${await end.text(5)}`);
    };
    await withAgent(async (scene) => {
      await (await scene.laptop("alice", careful)).rule(scene.rule([marked]));
      for (const headers of ["", `${mark}\r\n`]) {
        const client = await scene.connect();
        await client.send(`PUT / HTTP/1.1\r\nHost: x\r\n${headers}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
        assertEquals(await client.head(), "HTTP/1.1 100 Continue");
        await client.send("hello");
        assertEquals((await answer(client)).body, "hello");
      }
    }, { origin: careful });
  });

  it("websocket_meshed: becomes a tunnel to the laptop, or to the original pods", async () => {
    const upgrading = (name: string) => async (end: End) => {
      assertStringIncludes(await end.head(), "Upgrade: websocket");
      await end.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      await end.send(`${name} heard ${await end.text(5)}`);
    };
    await withAgent(async (scene) => {
      await (await scene.laptop("alice", upgrading("alice"))).rule(scene.rule([marked]));
      for (const [who, ...headers] of [["origin"], ["alice", mark]] as const) {
        const client = await scene.connect();
        await client.send(ask("/", "Connection: Upgrade", "Upgrade: websocket", ...headers));
        assertStringIncludes(await client.head(), "101 Switching Protocols");
        await client.send("hello");
        assertEquals(await client.rest(), `${who} heard hello`);
      }
    }, { origin: upgrading("origin") });
  });

  it("hands server-sent events on one by one, as they come", async () => {
    const ticks: Array<() => void> = [];
    const events = async (end: End) => {
      await end.head();
      await end.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
      for (let i = 1; i <= 3; i++) {
        await end.send(`data: ${i}\n\n`);
        await new Promise<void>((resolve) => ticks.push(resolve));
      }
    };
    await withAgent(async (scene) => {
      await (await scene.laptop("alice", events)).rule(scene.rule());
      const client = await scene.connect();
      await client.send(ask("/"));
      await client.head();
      for (let i = 1; i <= 3; i++) {
        assertEquals(await client.text(9), `data: ${i}\n\n`);
        ticks.shift()?.();
      }
      assertEquals(await client.rest(), "");
    });
  });

  it("holds a sender back while its reader reads nothing, and loses not a byte", async () => {
    const size = 32 * 1024 * 1024;
    const piece = new Uint8Array(65536).fill(97);
    for (const meshed of [true, false]) {
      let written = 0;
      const bulky = async (end: End) => {
        await end.head();
        await end.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        for (; written < size; written += piece.length) await end.stream.write(piece);
      };
      await withAgent(async (scene) => {
        if (meshed) await (await scene.laptop("alice", bulky)).rule(scene.rule());
        const client = await scene.connect();
        await client.send(ask("/"));
        await client.head();
        for (let before = -1; before !== written || written === 0;) {
          before = written;
          await settled(200);
        }
        assert(written < size / 2, `${written} bytes were taken for a reader that reads nothing`);
        let received = 0;
        const into = new Uint8Array(1 << 20);
        for (let count; received < size && (count = await client.reader.read(into)) !== null;) received += count;
        assertEquals(received, size);
      }, { origin: bulky });
    }
  });

  it("falls back to the original pods where the laptop does not take a request, whatever its method", async () => {
    await withAgent(async (scene) => {
      const refusing = { ok: false, kind: "refused", error: "nothing listens on port 3000" } as const;
      await (await scene.laptop("alice", refusing)).rule(scene.rule());
      const client = await scene.connect();
      assertEquals(await get(client, "/a"), "origin GET /a 0");
      await client.send("POST /b HTTP/1.1\r\nHost: orders\r\nContent-Length: 5\r\n\r\nhello");
      assertEquals((await answer(client)).body, "origin POST /b 5");
    });
  });

  it("answers 502 with the laptop's sentence where the rule says so", async () => {
    await withAgent(async (scene) => {
      const refusing = { ok: false, kind: "refused", error: "nothing listens on port 3000" } as const;
      await (await scene.laptop("alice", refusing)).rule(scene.rule([], "error"));
      const client = await scene.connect();
      await client.send(ask("/a"));
      const { head, body } = await answer(client);
      assertMatch(head, /^HTTP\/1.1 502 Bad Gateway\r\n/);
      assertEquals(body, "The laptop of alice does not take the request: nothing listens on port 3000\n");
      assertEquals(scene.originConnections, 0);
    });
  });

  it("laptop_killed_during_exchange: only what cannot be sent again is lost, and what comes next goes to the original pods", async () => {
    await withAgent(async (scene) => {
      let asked = 0;
      const thinking = async (end: End) => {
        await end.head();
        asked++;
        await new Promise(() => {});
      };
      const alice = await scene.laptop("alice", thinking);
      await alice.rule(scene.rule());
      const reader = await scene.connect(), writer = await scene.connect();
      await reader.send(ask("/read"));
      await writer.send("POST /write HTTP/1.1\r\nHost: orders\r\nContent-Length: 5\r\n\r\nhello");
      await until(() => asked === 2);
      alice.kill();
      assertEquals((await answer(reader)).body, "origin GET /read 0");
      assertStringIncludes(await writer.head(), "502 Bad Gateway");
      assertEquals(await get(reader, "/next"), "origin GET /next 0");
      assertEquals(await get(await scene.connect(), "/new"), "origin GET /new 0");
    });
  });

  it("asks anew where a kept connection to the original pods turns out to be closed", async () => {
    const once = async (end: End) => {
      await end.head();
      await end.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      if (!(await end.head()).startsWith("GET /stale")) return;
      end.stream.reset();
    };
    await withAgent(async (scene) => {
      const client = await scene.connect();
      assertEquals(await get(client, "/a"), "ok");
      assertEquals(await get(client, "/stale"), "ok");
      assertEquals(scene.originConnections, 2);
    }, { origin: once });
  });

  it("does not entrust what cannot be sent twice to a connection that was unused for long", async () => {
    await withAgent(async (scene) => {
      const client = await scene.connect();
      await get(client, "/a");
      await scene.clock.advance(1500);
      await client.send("POST /b HTTP/1.1\r\nHost: orders\r\nContent-Length: 5\r\n\r\nhello");
      assertEquals((await answer(client)).body, "origin POST /b 5");
      assertEquals(scene.originConnections, 2);
    });
  });

  it("says what is wrong where the original pods cannot be reached, or there are none", async () => {
    for (
      const [origin, status, sentence] of [["refuses", 502, /The pods of "dev\/orders".*nothing listens there/], [
        null,
        503,
        /^it is a preview of alice, whose laptop is away\n$/,
      ]] as const
    ) {
      await withAgent(async (scene) => {
        const client = await scene.connect();
        await client.send(ask("/"));
        const { head, body } = await answer(client);
        assertStringIncludes(head, `HTTP/1.1 ${status} `);
        assertMatch(body, sentence);
        await (await scene.laptop("alice")).rule(scene.rule([], "error"));
        // Where there is nobody, the client was sent away, to find others elsewhere.
        const next = origin === null ? await scene.connect() : client;
        assertEquals(await get(next, "/"), "alice GET / 0");
      }, {
        origin,
        ...origin === null && {
          alone: { ready: undefined, nobody: "it is a preview of alice, whose laptop is away" },
        },
      });
    }
  });

  it("has everything answered by the original pods once it drains, and clients come back on new connections", async () => {
    await withAgent(async (scene) => {
      const alice = await scene.laptop("alice");
      await alice.rule(scene.rule());
      const client = await scene.connect();
      assertEquals(await get(client, "/a"), "alice GET /a 0");
      assertEquals((await alice.ask({ type: "drain", ms: 1000 })).ok, true);
      await client.send(ask("/b"));
      const { head, body } = await answer(client);
      assertEquals(body, "origin GET /b 0");
      assertStringIncludes(head, "Connection: close");
      assertEquals(await client.rest(), "");
      await alice.rule(scene.rule());
      const next = await scene.connect();
      await next.send(ask("/c"));
      assertFalse((await answer(next)).head.includes("close"));
    });
  });

  it("answers 400 to what is no HTTP any more, and ends", async () => {
    await withAgent(async (scene) => {
      const client = await scene.connect();
      await get(client, "/a");
      await client.send("GET /b HTTP/1.1\r\nHost: orders\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n");
      assertStringIncludes(await client.rest(), "HTTP/1.1 400 Bad Request");
    });
  });
});
