import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { AccessError } from "../../src/cluster/access.ts";
import { ApiError } from "../../src/cluster/api.ts";
import type { Directory, Endpoint, Lookup, Service } from "../../src/cluster/directory.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { ClusterDialer } from "../../src/tunnel/cluster_dialer.ts";
import { DialError, type DialOptions } from "../../src/tunnel/dialer.ts";
import { FakeClock, settled, until } from "../fake_clock.ts";
import { MemoryAccess, statusAnswer } from "./memory_access.ts";
import type { PodConnection, SpdyServer } from "./spdy_server.ts";

const never = new AbortController().signal;
const bytes = (text: string) => new TextEncoder().encode(text);

/** The service "orders", port 80, whose pods listen on 8080. */
function orders(pods: number, affinity: number): { service: Service; endpoints: Endpoint[] } {
  const service: Service = {
    namespace: "dev",
    name: "orders",
    kind: "ClusterIP",
    clusterIPs: ["10.96.0.1"],
    externalName: "",
    ports: [{ name: "", port: 80, protocol: "TCP", targetPort: 8080 }],
    selector: { app: "orders" },
    affinity,
    publishNotReadyAddresses: false,
  };
  const endpoints = Array.from({ length: pods }, (_, index): Endpoint => ({
    addresses: [`10.244.0.${index + 1}`],
    hostname: "",
    pod: { namespace: "dev", name: `orders-${index + 1}`, uid: `uid-${index + 1}` },
    ready: true,
    serving: true,
    terminating: false,
    ports: [{ name: "", port: 8080, protocol: "TCP" }],
  }));
  return { service, endpoints };
}

/** A cluster in memory with the service "orders". */
function cluster(options: { pods?: number; affinity?: number; hidden?: Error } = {}) {
  const { service, endpoints } = orders(options.pods ?? 1, options.affinity ?? 0);
  const clock = new FakeClock();
  const access = new MemoryAccess();
  const gone = new Set<string>();
  let changed = () => {};
  const directory: Directory = {
    namespace: "dev",
    namespaces: ["dev"],
    zone: "cluster.local",
    lookup: (host): Promise<Lookup> =>
      Promise.resolve(
        host === "orders"
          ? { kind: "service", service }
          : host === "gone"
          ? { kind: "missing", message: 'There is no service "gone"' }
          : { kind: "foreign" },
      ),
    endpoints: () => options.hidden ? Promise.reject(options.hidden) : Promise.resolve(endpoints),
    pods: () => Promise.resolve([]),
    hasPod: ({ name }) => !gone.has(name),
    services: () => [service],
    onChange(listener) {
      changed = listener;
      return () => changed = () => {};
    },
    close() {},
  };
  const dialer = new ClusterDialer({ access, directory, clock });
  return {
    clock,
    access,
    dialer,
    dial: (more: Partial<DialOptions> = {}) => dialer.dial({ host: "orders", port: 80 }, { signal: never, ...more }),
    /** Has the directory learn that a pod is gone, or back. */
    forget(pod: string): void {
      gone.add(pod);
      changed();
    },
    remember: (pod: string) => void gone.delete(pod),
    /** Has every pod answer what it is sent by its own name and the same text; those named refuse. */
    serve(refusing: readonly string[] = []): void {
      access.onSession = (pod, server) => {
        server.onConnection = (connection) => void (refusing.includes(pod) && connection.refuse());
        server.onData = (connection, data) => void connection.write(`${pod} ${new TextDecoder().decode(data)}`);
        server.onFinish = (connection) => void connection.finish();
      };
    },
    /** Dials, in a time that moves until the outcome is known. */
    async dialed(more: Partial<DialOptions> = {}): Promise<Duplex> {
      let done = false;
      const dialing = this.dial(more).finally(() => done = true);
      dialing.catch(() => {});
      while (!done) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        await clock.advance(5);
      }
      return await dialing;
    },
    async close(): Promise<void> {
      dialer.close();
      await until(() => dialer.sessions === 0 && clock.pending === 0, "the end of all sessions and timers");
      await Promise.all(access.sessions.map(({ server }) => server.ended));
    },
  };
}

async function ask(stream: Duplex, question = "?"): Promise<string> {
  await stream.write(bytes(question));
  const into = new Uint8Array(100);
  return new TextDecoder().decode(into.subarray(0, await stream.read(into) ?? 0));
}

async function refusal(dialing: Promise<unknown>): Promise<DialError> {
  return await assertRejects(() => dialing, DialError);
}

const openIn = (server: SpdyServer | undefined): PodConnection[] =>
  server?.opened.filter((each) => !each.cancelled) ?? [];

describe("ClusterDialer", () => {
  it("reaches the pod behind a service on the target port", async () => {
    const all = cluster();
    all.serve();
    const stream = await all.dialed();
    assertEquals(await ask(stream), "orders-1 ?");
    assertEquals(all.access.sessions[0]?.server.last.port, 8080);
    assertEquals(all.access.requests[0]?.method, "GET");
    stream.close();
    await all.close();
  });

  it("waits for acceptance and the time of grace where it does not know the port, and not where it does", async () => {
    const all = cluster();
    all.serve();
    let settledAt: number | undefined;
    const dialing = all.dial().then((stream) => (settledAt = all.clock.now(), stream));
    await until(() => all.access.sessions.some(({ server }) => server.opened.length > 0));
    await all.clock.advance(29);
    assertEquals(settledAt, undefined);
    await all.clock.advance(5);
    assertEquals(settledAt, 30);
    await dialing;

    await all.clock.advance(29_900);
    await all.dial();
    assertEquals(all.clock.now(), 29_934, "no time had to pass");

    await all.clock.advance(30_001);
    let known = false;
    all.dial().then(() => known = true);
    await all.clock.advance(20);
    assertEquals(known, false, "what it knew is too old");
    await all.clock.advance(20);
    assertEquals(known, true);
    await all.close();
  });

  it("hands the stream over at once where that is wished, and knows the port from the first answer", async () => {
    const all = cluster();
    all.serve();
    const stream = await all.dial({ early: true });
    assertEquals(await ask(stream), "orders-1 ?");
    await all.dial();
    assertEquals(all.clock.now(), 0);
    await all.close();
  });

  it("says that nothing listens, once all pods have refused, and does not take the port for known", async () => {
    const all = cluster({ pods: 2 });
    all.serve(["orders-1", "orders-2"]);
    for (const early of [false, true]) {
      const error = await refusal(
        early ? all.dialed({ early }).then((stream) => stream.read(new Uint8Array(1))) : all.dialed(),
      );
      assertEquals(error.kind, "refused");
      assertStringIncludes(
        error.message,
        'Connection to "orders:80" refused: nothing listens on port 8080 in pod "dev/orders-',
      );
    }
    assertEquals(all.access.sessions.flatMap(({ server }) => server.opened).length, 4);
    await all.close();
  });

  it("passes a pod over that refuses, and leaves it for last for a while", async () => {
    const all = cluster({ pods: 3 });
    all.serve(["orders-2"]);
    for (let turn = 0; turn < 12; turn++) {
      const early = turn % 2 === 0;
      const answer = await ask(await all.dialed({ early }));
      assertEquals(answer.startsWith("orders-2"), false);
    }
    const tried = all.access.sessions.filter(({ pod }) => pod === "orders-2").flatMap(({ server }) => server.opened);
    assertEquals(tried.length <= 1, true, `it was tried ${tried.length} times`);
    await all.close();
  });

  it("passes a pod over that is gone, and says so where there is no other", async () => {
    const all = cluster({ pods: 2 });
    all.serve();
    all.access.answer = (request) =>
      request.target.includes("orders-1/") ? statusAnswer(404, "NotFound", 'pods "orders-1" not found') : "upgrade";
    for (let turn = 0; turn < 4; turn++) assertEquals(await ask(await all.dialed()), "orders-2 ?");
    assertEquals(all.dialer.carrier, "websocket");
    await all.close();

    const alone = cluster();
    alone.access.answer = () => statusAnswer(404, "NotFound", 'pods "orders-1" not found');
    const error = await refusal(alone.dialed());
    assertEquals(error.kind, "unreachable");
    assertStringIncludes(error.message, 'pod "dev/orders-1" is gone (HTTP 404: pods "orders-1" not found)');
    assertEquals(alone.access.requests.length, 1, "a pod that is gone is gone by any carrier");
    await alone.close();
  });

  it("names the pod whose session has outlived it", async () => {
    const all = cluster();
    all.access.onSession = (_, server) => {
      server.onConnection = (connection) =>
        void connection.fail(
          'error forwarding port 8080 to pod 12ab, uid : failed to find sandbox "12ab" in store: not found',
        );
    };
    const error = await refusal(all.dialed());
    assertEquals([error.kind, error.message], ["unreachable", 'Cannot reach "orders:80": pod "dev/orders-1" is gone']);
    await all.close();
  });

  it("keeps a client with its pod under session affinity, and with another once that fails", async () => {
    const all = cluster({ pods: 8, affinity: 100 });
    all.serve();
    const first = await ask(await all.dialed({ client: "a" }));
    for (let turn = 0; turn < 6; turn++) assertEquals(await ask(await all.dialed({ client: "a" })), first);
    const others = new Set<string>();
    for (const client of "bcdefghijklmnopqrstuvwxyz") others.add(await ask(await all.dialed({ client })));
    assertEquals(others.size > 1, true);

    const [name = ""] = first.split(" ");
    for (const { pod, server } of all.access.sessions) {
      if (pod === name) server.onConnection = (connection) => void connection.refuse();
    }
    const serving = all.access.onSession;
    all.access.onSession = (pod, server) => {
      serving(pod, server);
      if (pod === name) server.onConnection = (connection) => void connection.refuse();
    };
    const next = await ask(await all.dialed({ client: "a", early: true }));
    assertEquals(next === first, false);
    const tries = () =>
      all.access.sessions.filter(({ pod }) => pod === name).reduce((sum, { server }) => sum + server.opened.length, 0);
    const before = tries();
    const later = await ask(await all.dialed({ client: "a" }));
    assertEquals([later.startsWith(name), tries()], [false, before], "what failed a moment ago is not tried first");
    await all.close();
  });

  it("explains a 403 with the right to ask for, over both carriers", async () => {
    const all = cluster();
    all.access.answer = () => statusAnswer(403, "Forbidden", 'User "jane" cannot create resource "pods/portforward"');
    const error = await refusal(all.dialed());
    assertEquals(error.kind, "forbidden");
    assertStringIncludes(error.message, 'ask for the verbs get and create on pods/portforward in namespace "dev"');
    assertEquals(all.access.requests.map(({ method }) => method), ["GET", "POST"]);
    await all.close();
  });

  it("renews credentials once after a 401, then says to log in again", async () => {
    const all = cluster();
    all.access.answer = () => statusAnswer(401, "Unauthorized", "Unauthorized");
    const error = await refusal(all.dialed());
    assertEquals(error.kind, "forbidden");
    assertStringIncludes(error.message, "log in again");
    assertEquals([all.access.renewals, all.access.requests.length], [1, 2]);
    await all.close();
  });

  it("takes plain SPDY where WebSocket is refused, and remembers it", async () => {
    const all = cluster({ pods: 2 });
    all.serve();
    all.access.answer = (request) =>
      request.method === "POST" ? "upgrade" : "HTTP/1.1 403 Forbidden\r\nContent-Length: 19\r\n\r\nunknown subprotocol";
    assertEquals(await ask(await all.dialed()), `${all.access.sessions[0]?.pod} ?`);
    assertEquals(all.dialer.carrier, "spdy");
    const before = all.access.requests.length;
    for (let turn = 0; turn < 6; turn++) await all.dialed();
    assertEquals(all.access.requests.slice(before).every(({ method }) => method === "POST"), true);
    await all.close();
  });

  it("does not give the WebSocket up for good because the server was in trouble once, or one right is missing", async () => {
    for (
      const trouble of [
        statusAnswer(500, "InternalError", "error dialing backend"),
        statusAnswer(403, "Forbidden", "no get"),
      ]
    ) {
      const all = cluster();
      all.serve();
      all.access.answer = (request) => request.method === "POST" ? "upgrade" : trouble;
      await all.dialed();
      assertEquals(all.dialer.carrier, "websocket");
      await all.close();
    }
  });

  it("tries the next pod after a 500, and gives the server's words where none is left", async () => {
    const all = cluster();
    all.access.answer = () => statusAnswer(500, "InternalError", "error dialing backend: no route to host");
    const error = await refusal(all.dialed());
    assertEquals(error.kind, "unreachable");
    assertStringIncludes(error.message, "HTTP 500: error dialing backend: no route to host");
    await all.close();
  });

  for (
    const [what, answer] of [
      ["is no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
      ["breaks off", "HTTP/1.1 101 Swi"],
      ["has two lengths", "HTTP/1.1 403 No\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"],
    ] as const
  ) {
    it(`makes a DialError of an answer that ${what}`, async () => {
      const all = cluster();
      all.access.answer = () => answer;
      const error = await refusal(all.dialed());
      assertEquals(error.kind, "unreachable");
      assertStringIncludes(error.message, 'Cannot reach "orders:80"');
      await all.close();
    });
  }

  it("says what stands between it and the API server", async () => {
    for (
      const [accessKind, kind] of [
        ["unreachable", "unreachable"],
        ["tls", "unreachable"],
        ["timeout", "timeout"],
        ["credentials", "forbidden"],
      ] as const
    ) {
      const all = cluster();
      all.access.connectError = new AccessError(accessKind, "the way is barred");
      const error = await refusal(all.dialed());
      assertEquals(error.kind, kind);
      assertStringIncludes(error.message, 'Cannot reach "orders:80": the way is barred');
      await all.close();
    }
  });

  it("gives up after 15 s where the API server swallows the request", async () => {
    const all = cluster();
    all.access.answer = () => "silence";
    const dialing = refusal(all.dial());
    await all.clock.advance(15_000);
    assertEquals((await dialing).kind, "timeout");
    assertEquals(all.access.connections.every(({ closed }) => closed), true, "a connection is left open");
    await all.close();
  });

  it("ends with the signal's reason while it waits for a session, and while it waits for acceptance", async () => {
    const reason = new Error("not any more");
    const waiting = cluster();
    waiting.access.answer = () => "silence";
    const controller = new AbortController();
    const dialing = waiting.dial({ signal: controller.signal });
    await settled();
    controller.abort(reason);
    assertEquals(await assertRejects(() => dialing), reason);
    waiting.dialer.close();
    await settled();
    assertEquals(waiting.clock.pending, 0);

    const slow = cluster();
    slow.access.onSession = (_, server) => void (server.accepts = false);
    const late = new AbortController();
    const confirming = slow.dial({ signal: late.signal });
    await until(() => openIn(slow.access.sessions[0]?.server).length > 0);
    assertEquals(openIn(slow.access.sessions[0]?.server).length, 1);
    late.abort(reason);
    assertEquals(await assertRejects(() => confirming), reason);
    await settled();
    assertEquals(openIn(slow.access.sessions[0]?.server).length, 0, "the stream is left open");
    await slow.close();
  });

  it("leaves no stream open where the signal aborts in the moment the session stands", async () => {
    const all = cluster();
    const controller = new AbortController();
    all.access.onSession = (_, server) => {
      server.accepts = false;
      server.onConnection = () => controller.abort(new Error("not any more"));
    };
    const outcome = assertRejects(() => all.dial({ signal: controller.signal }), Error, "not any more");
    await outcome;
    await settled();
    assertEquals(all.access.sessions.flatMap(({ server }) => openIn(server)).length, 0);
    await all.close();
  });

  it("dials the same pod again where the session had died unnoticed", async () => {
    const all = cluster();
    all.serve();
    (await all.dialed()).close();
    await settled();
    // A firewall has dropped them all: nothing comes through, and nobody says so.
    for (const { server } of all.access.sessions) server.accepts = server.answersPings = false;
    const before = all.access.sessions.length;
    const stream = await all.dial();
    const asking = stream.read(new Uint8Array(10));
    asking.catch(() => {});
    await all.clock.advance(5_000);
    await until(() => all.access.sessions.length > before, "a new session");
    await stream.write(bytes("?"));
    assertEquals(await asking, 10);
    stream.close();
    await all.close();
  });

  it("says what names mean nothing, and what lookups forbid", async () => {
    const all = cluster();
    const missing = await refusal(all.dialer.dial({ host: "gone", port: 80 }, { signal: never }));
    assertEquals([missing.kind, missing.message], ["unknown", 'There is no service "gone"']);
    const foreign = await refusal(all.dialer.dial({ host: "example.org", port: 80 }, { signal: never }));
    assertEquals(foreign.kind, "unknown");
    const port = await refusal(all.dialer.dial({ host: "orders", port: 81 }, { signal: never }));
    assertEquals(port.kind, "refused");
    await all.close();
  });

  it("says that it may not know what serves a service", async () => {
    const hidden = new ApiError(403, "Forbidden", "You may list neither endpointslices nor pods", "GET /api");
    const all = cluster({ hidden });
    const { kind, message } = await refusal(all.dial());
    assertEquals([kind, message], ["forbidden", hidden.message]);
    await all.close();
  });

  it("resets the connections of a pod that is gone, and leaves a pod alone that is only not known yet", async () => {
    const all = cluster();
    all.serve();
    const stream = await all.dialed();
    await stream.write(new TextEncoder().encode("x"));
    assertEquals(await stream.read(new Uint8Array(100)) !== null, true);
    const reading = assertRejects(() => stream.read(new Uint8Array(1)), Error, "is gone");
    all.forget("orders-1");
    all.remember("orders-1");
    await all.clock.advance(2_000);
    assertEquals(all.dialer.sessions >= 1, true);
    all.forget("orders-1");
    all.forget("orders-1");
    await all.clock.advance(1_999);
    assertEquals(all.dialer.sessions >= 1, true);
    await all.clock.advance(1);
    const error = await reading;
    assertEquals(["code" in error && error.code, all.dialer.sessions], ["ECONNRESET", 0]);
    await all.close();
  });

  it("asks once for other pods when none of those named can be had, also after an early start", async () => {
    const all = cluster({ pods: 2 });
    all.serve(["orders-1"]);
    const at = (number: number) => ({
      pod: { namespace: "dev", name: `orders-${number}`, uid: `uid-${number}` },
      port: 8080,
    });
    let asked = 0;
    const more = (numbers: readonly number[]) => () => (asked++, Promise.resolve(numbers.map(at)));
    const early = { signal: never, early: true };
    const stream = await all.dialer.dialPods([at(1)], "deployment/api", early, more([1, 2]));
    await stream.write(new TextEncoder().encode("x"));
    const into = new Uint8Array(100);
    const count = await stream.read(into) ?? 0;
    assertEquals([new TextDecoder().decode(into.subarray(0, count)), asked], ["orders-2 x", 1]);
    const refused = await all.dialer.dialPods([at(1)], "deployment/api", early, more([1]));
    assertEquals((await refusal(refused.read(into))).kind, "refused");
    assertEquals(asked, 2);
    await all.close();
  });

  it("ends every connection when it is closed", async () => {
    const all = cluster();
    all.serve();
    const stream = await all.dialed();
    assertEquals(all.dialer.sessions >= 1, true);
    all.dialer.close();
    await assertRejects(() => stream.read(new Uint8Array(1)), Error);
    await all.close();
  });

  it("serves 2,000 connections one after another from two sessions", async () => {
    const all = cluster();
    all.serve();
    for (let turn = 0; turn < 2_000; turn++) {
      const stream = await all.dial({ early: true });
      assertEquals(await ask(stream, "x"), "orders-1 x");
      stream.close();
    }
    assertEquals(all.access.sessions.length <= 3, true, `${all.access.sessions.length} sessions`);
    await all.close();
  });
});
