import { constants, createDeflate } from "node:zlib";
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { PodObject } from "./pod_object.ts";
import { startPractice } from "./practice.ts";
import type { Practice, PracticeOptions } from "./practice.ts";
import { spdyDictionary } from "./spdy_dictionary.ts";
import { SpdyHeaderReader } from "./spdy_header_reader.ts";
import { upgrade, upgradeHeaders } from "./spdy_test_client.ts";
import type { SpdyTestClient, Upgraded, UpgradeTarget } from "./spdy_test_client.ts";

/** The pod of a Service `orders` in `dev`, and how to reach its port-forward. */
async function orders(practice: Practice): Promise<{ pod: PodObject; path: string; target: UpgradeTarget }> {
  await practice.addService({ namespace: "dev", name: "orders" });
  const pod = practice.list<PodObject>("pods", "dev")[0]!;
  const path = `/api/v1/namespaces/dev/pods/${pod.metadata.name}/portforward`;
  return { pod, path, target: { port: practice.port, ca: practice.authority, token: practice.token("admin") } };
}

interface Scene {
  readonly practice: Practice;
  readonly pod: PodObject;
  readonly session: SpdyTestClient;
}

/** Runs a test with an open session. */
async function forwarding(
  headers: Readonly<Record<string, string>>,
  test: (scene: Scene) => Promise<void>,
  options: PracticeOptions = { teardown: 20 },
) {
  await using practice = await startPractice(options);
  const { pod, path, target } = await orders(practice);
  const { status, session, close } = await upgrade(target, path, headers);
  assertEquals(status, 101);
  try {
    await test({ practice, pod, session: session! });
  } finally {
    close();
  }
}

const isEnd = (frame: string) => frame === "DATA 1 FIN";

for (const kind of ["spdy", "tunnel"] as const) {
  const headers = upgradeHeaders[kind];
  describe(`port-forward over ${kind === "spdy" ? "SPDY" : "SPDY inside a WebSocket"}`, () => {
    it("carries bytes both ways, all that opens a stream in one write", () =>
      forwarding(headers, async ({ session }) => {
        await session.open(1, 7000, "echo\nhello");
        assertEquals(await session.until((frame) => frame.startsWith("DATA")), [
          "SYN_REPLY 1",
          "SYN_REPLY 3",
          'DATA 3 "hello"',
        ]);
        await session.write(session.dataFrame(3, " world"));
        assertEquals((await session.next()).short, 'DATA 3 " world"');
      }));

    it("says in the runtime's words that nothing listens", () =>
      forwarding(headers, async ({ session }) => {
        await session.open(1, 9999);
        const frames = await session.until(isEnd);
        assertEquals(frames.slice(0, 3), ["SYN_REPLY 1", "SYN_REPLY 3", "DATA 3 FIN"]);
        assertMatch(
          frames[3]!,
          /^DATA 1 "error forwarding port 9999 to pod [0-9a-f]{64}, uid : failed to execute portforward in /,
        );
        assertStringIncludes(frames[3]!, "dial tcp4 127.0.0.1:9999: connect: connection refused");
        assertEquals(frames.length, 5);
      }));

    it("ends both streams the teardown time after the pod has closed", () =>
      forwarding(headers, async ({ session }) => {
        const start = performance.now();
        await session.open(1, 7000, "hello\n");
        const frames = await session.until(isEnd);
        assertMatch(frames[2]!, /^DATA 3 "orders orders-/);
        assertEquals(frames.slice(3), ["DATA 3 FIN", "DATA 1 FIN"]);
        const elapsed = performance.now() - start;
        assert(elapsed >= 195, `took ${elapsed} ms`); // timers may be early by a little
      }, { teardown: 200 }));

    it("cuts the pod off the teardown time after the client has ended its direction", () =>
      forwarding(headers, async ({ session, practice }) => {
        await session.open(1, 7000, "sink\nabc");
        await session.write(session.dataFrame(3, "", true));
        // The sink would answer an end that it saw; port-forward passes none on.
        assertEquals(await session.until(isEnd), ["SYN_REPLY 1", "SYN_REPLY 3", "DATA 3 FIN", "DATA 1 FIN"]);
        assertEquals(practice.counters.openStreams, 0);
      }));

    it("reports a reset by the pod after the teardown time", () =>
      forwarding(headers, async ({ session }) => {
        await session.open(1, 7000, "reset\n");
        const frames = await session.until(isEnd);
        assertEquals(frames[2], "DATA 3 FIN");
        assertStringIncludes(frames[3]!, "read: connection reset by peer");
      }));

    it("drops a stream that the client resets", () =>
      forwarding(headers, async ({ session }) => {
        await session.open(1, 7000, "echo\nhi");
        await session.until((frame) => frame.startsWith("DATA"));
        await session.write(session.reset(3));
        assertEquals(await session.until(isEnd), ["DATA 1 FIN"]);
      }));

    it("resets streams for a port that is none, and keeps the session", () =>
      forwarding(headers, async ({ session }) => {
        await session.open(1, 0);
        assertEquals(await session.until((frame) => frame === "RST_STREAM 3 5"), ["RST_STREAM 1 5", "RST_STREAM 3 5"]);
        await session.write(session.ping(7));
        assertEquals((await session.next()).short, "PING 7");
      }));

    it("ignores data and resets of streams that it does not know", () =>
      forwarding(headers, async ({ session, practice }) => {
        await session.write(session.dataFrame(77, "x"), session.reset(79), session.ping(8), session.ping(9));
        assertEquals((await session.next()).short, "PING 9");
        assertEquals(practice.counters.pings, 1);
      }));

    it("ends a session that does not speak SPDY, with a GOAWAY", () =>
      forwarding(headers, async ({ session }) => {
        await session.write(new Uint8Array(16).fill(0xff));
        assertEquals((await session.next()).short, "GOAWAY 0");
        await assertRejects(() => session.next());
      }));

    it("carries many streams at once", () =>
      forwarding(headers, async ({ session, practice }) => {
        const count = 200;
        for (let i = 0; i < count; i++) await session.open(1 + 4 * i, 7000, `echo\n${i}`);
        const heard = new Map<number, string>();
        while (heard.size < count) {
          const { type, id, data } = await session.next();
          if (type === "DATA") heard.set(id, new TextDecoder().decode(data));
        }
        for (let i = 0; i < count; i++) assertEquals(heard.get(3 + 4 * i), String(i));
        assertEquals([practice.counters.streams, practice.counters.openStreams], [count, count]);
      }));

    it("carries megabytes in frames of at most 32 KiB", () =>
      forwarding(headers, async ({ session }) => {
        const wanted = 8 << 20;
        await session.open(1, 7000, `source ${wanted}\n`);
        let count = 0;
        for (let end = false; !end;) {
          const frame = await session.next();
          if (frame.type !== "DATA") continue;
          assert(frame.data.length <= 32 << 10);
          count += frame.data.length;
          end = frame.end;
        }
        assertEquals(count, wanted);
      }));

    it("freezes a session, PINGs included, when one pod stops reading, after a bounded number of bytes", () =>
      forwarding(headers, async ({ session }) => {
        await session.open(1, 7000, "stall\n");
        const frame = session.dataFrame(3, new Uint8Array(1 << 20));
        let taken = 0;
        const stalled = () => new Promise<"stalled">((resolve) => setTimeout(() => resolve("stalled"), 500));
        while (await Promise.race([session.write(frame).then(() => "taken"), stalled()]) === "taken") {
          assert(++taken < 200, "nothing holds the client up");
        }
        session.write(session.ping(9)).catch(() => {}); // ends with the session
        await session.until((frame) => frame === "SYN_REPLY 3");
        assertEquals(await Promise.race([session.next().catch(() => {}), stalled()]), "stalled");
      }));

    it("resets the streams of a pod that is killed, and knows it no more", () =>
      forwarding(headers, async ({ session, practice, pod }) => {
        await session.open(1, 7000, "echo\nhi");
        await session.until((frame) => frame.startsWith("DATA"));
        await practice.killPod("dev", pod.metadata.name);
        assertStringIncludes((await session.until(isEnd)).join(), "connection reset by peer");
        await session.open(5, 7000);
        const frames = await session.until((frame) => frame === "DATA 5 FIN");
        assertStringIncludes(frames.join(), "failed to find sandbox");
      }));
  });
}

describe("port-forward", () => {
  it("reaches what listens on localhost only, and not what listens on the pod's address only", async () => {
    await using practice = await startPractice({ teardown: 20 });
    const { target } = await orders(practice);
    for (const [name, reachable] of [["localhost", true], ["pod", false]] as const) {
      await practice.addService({
        namespace: "dev",
        name,
        ports: [{ port: 7000 }],
        env: { PRACTICE_LISTEN: name },
      });
      const pod = practice.list<PodObject>("pods", "dev").find((pod) => pod.metadata.labels?.app === name)!;
      const { session, close } = await upgrade(
        target,
        `/api/v1/namespaces/dev/pods/${pod.metadata.name}/portforward`,
        upgradeHeaders.tunnel,
      );
      await session!.open(1, 7000, "hello\n");
      assertEquals((await session!.until(isEnd)).some((frame) => frame.startsWith('DATA 3 "')), reachable, name);
      close();
      const dialled = await practice.dialFromPod(`${name}.dev`, 7000).then(
        (connection) => connection.close(),
        () => "refused",
      );
      assertEquals(dialled, reachable ? "refused" : undefined, name);
    }
  });

  it("answers pings and refuses text on its WebSockets", async () => {
    await using practice = await startPractice();
    const { target, path } = await orders(practice);
    const { session, close } = await upgrade(target, path, upgradeHeaders.tunnel);
    await session!.writeMessage(9, new TextEncoder().encode("ping"));
    const pong = await session!.message();
    assertEquals([pong.opcode, new TextDecoder().decode(pong.payload)], [10, "ping"]);
    await session!.writeMessage(1, new TextEncoder().encode("text"));
    const closing = await session!.message();
    assertEquals([closing.opcode, ...closing.payload], [8, 1002 >> 8, 1002 & 255]);
    close();
  });

  it("refuses upgrades as a real server does", async () => {
    await using practice = await startPractice({
      users: [{ name: "reader", rules: [{ apiGroups: [""], resources: ["*"], verbs: ["get"] }] }],
    });
    const { target, path } = await orders(practice);
    await practice.addService({ namespace: "dev", name: "stuck", podAnnotations: { "practice/state": "pending" } });
    const stuck = practice.list<PodObject>("pods", "dev").find((pod) => pod.metadata.labels?.app === "stuck")!;
    const missing = "/api/v1/namespaces/dev/pods/missing/portforward";
    const pending = `/api/v1/namespaces/dev/pods/${stuck.metadata.name}/portforward`;
    const { spdy, tunnel, v4 } = upgradeHeaders;
    const reader = { ...target, token: practice.token("reader") };
    const cases: [what: string, answer: Promise<Upgraded>, status: number, body: string][] = [
      ["v4", upgrade(target, path, v4), 400, 'query parameter "port" is required'],
      ["v4 with ports", upgrade(target, `${path}?ports=7000`, v4), 403, ""],
      [
        "unknown SPDY version",
        upgrade(target, path, { ...spdy, "X-Stream-Protocol-Version": "x" }),
        403,
        "client supports [x]",
      ],
      ["missing pod", upgrade(target, missing, tunnel), 404, 'pods \\"missing\\" not found'],
      ["pending pod", upgrade(target, pending, spdy), 400, "does not have a host assigned"],
      ["no token", upgrade({ ...target, token: "wrong" }, path, tunnel), 401, "Unauthorized"],
      ["SPDY without create", upgrade(reader, path, spdy), 403, 'cannot create resource \\"pods/portforward\\"'],
      ["WebSocket with get", upgrade(reader, path, tunnel), 101, ""],
      ["no upgrade", upgrade(target, path, { Connection: "close" }), 400, "Upgrade request required"],
    ];
    for (const [what, answer, status, body] of cases) {
      const answered = await answer;
      assertEquals(answered.status, status, what);
      assertStringIncludes(answered.body, body);
      answered.close();
    }
  });

  it("wants create for WebSockets too from 1.35 on", async () => {
    const rules = [{ apiGroups: [""], resources: ["*"], verbs: ["get"] }];
    await using practice = await startPractice({ version: "1.35.0", users: [{ name: "reader", rules }] });
    const { target, path } = await orders(practice);
    const { status, body, close } = await upgrade(
      { ...target, token: practice.token("reader") },
      path,
      upgradeHeaders.tunnel,
    );
    assertEquals(status, 403);
    assertStringIncludes(body, "cannot create resource");
    close();
  });

  it("loses what was sent before the upgrade was answered", async () => {
    await using practice = await startPractice();
    const { target, path } = await orders(practice);
    using connection = await Deno.connectTls({ port: target.port, hostname: "localhost", caCerts: [target.ca] });
    const lines = Object.entries({
      ...upgradeHeaders.spdy,
      Host: "x",
      Connection: "Upgrade",
      Authorization: `Bearer ${target.token}`,
    });
    const ping = Uint8Array.of(0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0);
    const head = `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
    await connection.write(Uint8Array.of(...new TextEncoder().encode(head), ...ping, 1));
    const buffer = new Uint8Array(4096);
    assertStringIncludes(
      new TextDecoder().decode(buffer.subarray(0, (await connection.read(buffer))!)),
      "101 Switching",
    );
    await connection.write(Uint8Array.of(...ping, 3));
    assertEquals(buffer.subarray(0, (await connection.read(buffer))!).at(-1), 3);
  });
});

describe("SpdyHeaderReader", () => {
  it("inflates the blocks of one connection with SPDY's dictionary", async () => {
    let [a, b] = [1, 0]; // Adler-32 (RFC 1950)
    for (const byte of spdyDictionary) b = (b + (a = (a + byte) % 65521)) % 65521;
    assertEquals([spdyDictionary.length, (b * 65536 + a).toString(16)], [1423, "e3c6a7c2"]);
    const deflate = createDeflate({ dictionary: spdyDictionary, flush: constants.Z_SYNC_FLUSH });
    const blocks: Uint8Array[] = [];
    deflate.on("data", (chunk: Uint8Array) => blocks.push(chunk));
    const reader = new SpdyHeaderReader();
    for (const id of ["1", "2"]) {
      const field = (text: string) => [0, 0, 0, text.length, ...new TextEncoder().encode(text)];
      const block = [0, 0, 0, 2, ...["streamtype", "error", "requestid", id].flatMap(field)];
      await new Promise<void>((resolve) => deflate.write(Uint8Array.from(block), () => resolve()));
      const bytes = Uint8Array.from(blocks.splice(0).flatMap((chunk) => [...chunk]));
      assertEquals([...await reader.read(bytes)], [["streamtype", "error"], ["requestid", id]]);
    }
    deflate.destroy();
    await assertRejects(() => reader.read(new Uint8Array(20).fill(0xff)));
    reader.close();
  });
});
