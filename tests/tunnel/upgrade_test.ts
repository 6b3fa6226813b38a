import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { header } from "../../src/stream/http_head.ts";
import { type Carrier, UpgradeError } from "../../src/tunnel/request_upgrade.ts";
import { upgrade } from "../../src/tunnel/upgrade.ts";
import { settled } from "../fake_clock.ts";
import { acceptance, type Answer, MemoryAccess, statusAnswer } from "./memory_access.ts";

const never = new AbortController().signal;
const pod = { namespace: "dev", name: "orders-1", uid: "u" };

/** What comes of an upgrade that the server answers so. */
async function refused(answer: Answer, carrier: Carrier = "websocket"): Promise<UpgradeError> {
  const access = new MemoryAccess();
  access.answer = () => answer;
  const error = await assertRejects(() => upgrade(access, pod, carrier, never), UpgradeError);
  assertEquals(access.connections.every(({ closed }) => closed), true, "a connection is left open");
  return error;
}

describe("upgrade", () => {
  for (const carrier of ["websocket", "spdy"] as const) {
    it(`carries bytes both ways over ${carrier}`, async () => {
      const access = new MemoryAccess("https://cluster.test:6443/clusters/a/");
      const wire = await upgrade(access, pod, carrier, never);
      const [request] = access.requests;
      assertEquals(request?.target, "/clusters/a/api/v1/namespaces/dev/pods/orders-1/portforward");
      assertEquals(request?.method, carrier === "spdy" ? "POST" : "GET");
      const headers = request?.headers ?? [];
      assertEquals(header(headers, "host"), "cluster.test:6443");
      assertEquals(header(headers, "authorization"), "Bearer first");
      assertEquals(header(headers, "connection"), "Upgrade");
      await settled();
      await access.sessions[0]!.server.send(new TextEncoder().encode("hello"));
      const into = new Uint8Array(10);
      assertEquals(await wire.read(into), 5);
      assertEquals(new TextDecoder().decode(into.subarray(0, 5)), "hello");
      wire.close();
      await access.sessions[0]!.server.ended;
    });
  }

  it("takes what comes behind the answer in the same packet", async () => {
    for (const [carrier, early] of [["websocket", "\x82\x05early"], ["spdy", "early"]] as const) {
      const access = new MemoryAccess();
      access.answer = (request) => acceptance(request) + early;
      const wire = await upgrade(access, pod, carrier, never);
      assertEquals(await wire.read(new Uint8Array(10)), 5);
      wire.close();
    }
  });

  it("gives Kubernetes' own words for a refusal", async () => {
    const error = await refused(statusAnswer(404, "NotFound", 'pods "orders-1" not found'));
    assertEquals([error.status, error.reason, error.message], [404, "NotFound", 'pods "orders-1" not found']);
    assertEquals((await refused(statusAnswer(403, "Forbidden", "no"), "spdy")).carrier, "spdy");
  });

  for (
    const [answer, status, message] of [
      ["HTTP/1.1 400 Bad Request\r\nContent-Length: 14\r\n\r\nports required", 400, "ports required"],
      ["HTTP/1.1 502 Bad Gateway\r\n\r\n<html>nginx</html>", 502, "Bad Gateway"],
      ["HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n", 500, "no reason given"],
      ["HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhal", 200, "hal"],
      ["HTTP/1.1 503 Down\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsorry\r\n0\r\n\r\n", 503, "sorry"],
      [`HTTP/1.1 500 Oops\r\n\r\n${"a".repeat(200_000)}`, 500, "a".repeat(300)],
      ['HTTP/1.1 403 Forbidden\r\n\r\n{"kind":"Status","message":7}', 403, "Forbidden"],
    ] as const
  ) {
    it(`explains ${JSON.stringify(answer.slice(0, 60))}`, async () => {
      const error = await refused(answer);
      assertEquals([error.status, error.message], [status, message]);
    });
  }

  it("refuses a 101 that somebody else has answered, or that leads elsewhere", async () => {
    const access = new MemoryAccess();
    for (
      const [carrier, change, words] of [
        [
          "websocket",
          (text: string) => text.replace(/Accept: .*/, "Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
          "wrong key",
        ],
        ["websocket", (text: string) => text.replace(/Sec-WebSocket-Accept: .*\r\n/, ""), "wrong key"],
        ["websocket", (text: string) => text.replace(/Protocol: .*/, "Protocol: v4.channel.k8s.io"), "does not know"],
        ["websocket", (text: string) => text.replace(/Sec-WebSocket-Protocol: .*\r\n/, ""), "does not know"],
        ["spdy", (text: string) => text.replace("SPDY/3.1", "h2c"), "something else"],
      ] as const
    ) {
      access.answer = (request) => change(acceptance(request));
      const error = await assertRejects(() => upgrade(access, pod, carrier, never), UpgradeError);
      assertEquals(error.status, 101);
      assertStringIncludes(error.message, words);
    }
    assertEquals(access.connections.every(({ closed }) => closed), true);
  });

  it("says when the server hangs up instead", async () => {
    assertEquals((await refused("")).status, 0);
  });

  it("fails, and leaves nothing open, on an answer that is no HTTP or never ends", async () => {
    for (
      const answer of [
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 101 Swi",
        `HTTP/1.1 101 X\r\n${"A: b\r\n".repeat(20_000)}\r\n`,
      ]
    ) {
      const access = new MemoryAccess();
      access.answer = () => answer;
      await assertRejects(() => upgrade(access, pod, "websocket", never), Error);
      assertEquals(access.connections.every(({ closed }) => closed), true);
    }
  });

  it("gets new credentials after a 401, once", async () => {
    const access = new MemoryAccess();
    access.answer = (request) =>
      header(request.headers, "authorization") === "Bearer second"
        ? "upgrade"
        : statusAnswer(401, "Unauthorized", "no");
    (await upgrade(access, pod, "websocket", never)).close();
    assertEquals([access.renewals, access.requests.length], [1, 2]);

    access.answer = () => statusAnswer(401, "Unauthorized", "still no");
    assertEquals((await assertRejects(() => upgrade(access, pod, "websocket", never), UpgradeError)).status, 401);
    assertEquals([access.renewals, access.requests.length], [2, 4]);

    access.renews = false;
    await assertRejects(() => upgrade(access, pod, "websocket", never), UpgradeError);
    assertEquals([access.renewals, access.requests.length], [3, 5]);
  });

  it("ends with the signal's reason whenever it aborts: at a black hole, before, and just as the connection stands", async () => {
    const access = new MemoryAccess();
    access.answer = () => "silence";
    const reason = new Error("not any more");
    const controller = new AbortController();
    const upgrading = upgrade(access, pod, "websocket", controller.signal);
    await settled();
    controller.abort(reason);
    assertEquals(await assertRejects(() => upgrading), reason);
    assertEquals(await assertRejects(() => upgrade(access, pod, "spdy", controller.signal)), reason);

    const late = new AbortController();
    const { connect } = access;
    access.connect = async (signal) => {
      const connection = await connect.call(access, signal);
      late.abort(reason);
      return connection;
    };
    assertEquals(await assertRejects(() => upgrade(access, pod, "websocket", late.signal)), reason);
    assertEquals(access.connections.every(({ closed }) => closed), true);
  });
});
