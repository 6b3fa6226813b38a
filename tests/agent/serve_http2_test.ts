import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import http2 from "node:http2";
import { nodeDuplex } from "../../src/stream/node_duplex.ts";
import { until } from "../fake_clock.ts";
import { type AgentScene, marked, withAgent } from "./agent_scene.ts";
import { speakHttp2 } from "./speak_http2.ts";

/** Answers with its name and the path, and a trailer as gRPC has it. */
const answering = (name: string) =>
  speakHttp2((stream, headers) => {
    stream.respond({ ":status": 200, "x-mark": String(headers["version"]) }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(`${name} ${headers[":path"]}`);
  });

/** Sends back, in capitals, each message as it comes; then the client's trailers as its own. */
const conversing = (name: string) =>
  speakHttp2((stream) => {
    let fields: http2.IncomingHttpHeaders = {};
    stream.on("trailers", (trailers) => fields = trailers);
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "x-sum": fields["x-sum"] ?? "none" }));
    stream.on("data", (chunk: Uint8Array) => stream.write(`${name} ${new TextDecoder().decode(chunk).toUpperCase()}`));
    stream.on("end", () => stream.end());
  });

/** Opens a session of a client, runs `use`, and closes it. */
async function withSession(
  scene: AgentScene,
  use: (session: http2.ClientHttp2Session) => Promise<void>,
): Promise<void> {
  const client = await scene.connect();
  const wire = nodeDuplex(client.stream);
  const closed = new Promise<void>((resolve) => wire.on("close", resolve));
  const session = http2.connect("http://orders", { createConnection: () => wire });
  session.on("error", () => {});
  try {
    await use(session);
  } finally {
    session.destroy();
    await closed;
  }
}

/** A request on its way, with what has come back. */
class Call {
  readonly stream: http2.ClientHttp2Stream;
  status: number | undefined;
  body = "";
  trailers: http2.IncomingHttpHeaders = {};
  headers: http2.IncomingHttpHeaders = {};
  closed = false;

  constructor(
    session: http2.ClientHttp2Session,
    headers: http2.OutgoingHttpHeaders,
    options: http2.ClientSessionRequestOptions = {},
  ) {
    this.stream = session.request({ ":path": "/", ...headers }, options);
    this.stream.on("response", (head) => {
      this.status = head[":status"];
      this.headers = head;
    });
    this.stream.on("data", (chunk: Uint8Array) => this.body += new TextDecoder().decode(chunk));
    this.stream.on("trailers", (trailers) => this.trailers = trailers);
    this.stream.on("error", () => {});
    this.stream.on("close", () => this.closed = true);
  }

  async ended(): Promise<this> {
    await until(() => this.closed, "the end of a call");
    return this;
  }
}

describe("serveHttp2", () => {
  it("sends each stream of one connection where the rules say, trailers kept, the mark unchanged", async () => {
    await withAgent(async (scene) => {
      await (await scene.laptop("alice", answering("alice"))).rule(scene.rule([marked]));
      await withSession(scene, async (session) => {
        const calls = [0, 1, 2, 3].map((each) =>
          new Call(session, { ":path": `/${each}`, ...(each % 2 === 1 ? { version: "alice" } : {}) })
        );
        for (const call of calls) await call.ended();
        assertEquals(calls.map(({ body }) => body), ["origin /0", "alice /1", "origin /2", "alice /3"]);
        assertEquals(calls.map(({ trailers }) => trailers["grpc-status"]), ["0", "0", "0", "0"]);
        assertEquals(calls[1]?.headers["x-mark"], "alice");
        assertEquals(scene.originConnections, 1);
      });
    }, { origin: answering("origin") });
  });

  it("grpc_bidirectional_stream_meshed: messages pass both ways as they come, trailers too", async () => {
    await withAgent(async (scene) => {
      await (await scene.laptop("alice", conversing("alice"))).rule(scene.rule([marked]));
      await withSession(scene, async (session) => {
        for (const [who, mark] of [["alice", { version: "alice" }], ["origin", {}]] as const) {
          const call = new Call(session, { ":method": "POST", ...mark }, { waitForTrailers: true });
          call.stream.on("wantTrailers", () => call.stream.sendTrailers({ "x-sum": "7" }));
          for (const word of ["one", "two", "three"]) {
            call.body = "";
            call.stream.write(word);
            await until(() => call.body === `${who} ${word.toUpperCase()}`, word);
          }
          call.stream.end();
          await call.ended();
          assertEquals([call.trailers["grpc-status"], call.trailers["x-sum"]], ["0", "7"]);
        }
      });
    }, { origin: conversing("origin") });
  });

  it("hands on an answer of headers alone, as gRPC refuses with", async () => {
    const refusing = speakHttp2((stream) =>
      stream.respond({ ":status": 200, "grpc-status": "12" }, { endStream: true })
    );
    await withAgent(async (scene) => {
      await withSession(scene, async (session) => {
        const call = await new Call(session, { ":method": "POST" }, { endStream: true }).ended();
        assertEquals([call.status, call.headers["grpc-status"], call.body], [200, "12", ""]);
      });
    }, { origin: refusing });
  });

  it("passes a reset on, in both directions", async () => {
    const codes: number[] = [];
    const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM } = http2.constants;
    const touchy = speakHttp2((stream, headers) => {
      stream.on("close", () => codes.push(stream.rstCode));
      stream.respond({ ":status": 200 });
      stream.write("begun");
      if (headers[":path"] === "/theirs") stream.on("data", () => stream.close(NGHTTP2_ENHANCE_YOUR_CALM));
    });
    await withAgent(async (scene) => {
      await withSession(scene, async (session) => {
        const theirs = new Call(session, { ":method": "POST", ":path": "/theirs" });
        await until(() => theirs.body === "begun");
        theirs.stream.write("go");
        await theirs.ended();
        assertEquals(theirs.stream.rstCode, NGHTTP2_ENHANCE_YOUR_CALM);
        const ours = new Call(session, { ":method": "POST" });
        await until(() => ours.body === "begun");
        ours.stream.close(NGHTTP2_CANCEL);
        await ours.ended();
        await until(() => codes.length === 2);
        assertEquals(codes, [NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_CANCEL]);
      });
    }, { origin: touchy });
  });

  it("holds a sender back while its reader reads nothing, and loses not a byte", async () => {
    const size = 16 * 1024 * 1024;
    let written = 0;
    const bulky = speakHttp2((stream) => {
      stream.respond({ ":status": 200 });
      const piece = new Uint8Array(65536);
      const more = () => {
        while (written < size) {
          written += piece.length;
          if (!stream.write(piece)) return void stream.once("drain", more);
        }
        stream.end();
      };
      more();
    });
    await withAgent(async (scene) => {
      await (await scene.laptop("alice", bulky)).rule(scene.rule());
      await withSession(scene, async (session) => {
        const stream = session.request({ ":path": "/" });
        for (let before = -1; before !== written || written === 0;) {
          before = written;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        assert(written < size / 2, `${written} bytes were taken for a reader that reads nothing`);
        let received = 0;
        for await (const chunk of stream) received += chunk.length;
        assertEquals(received, size);
      });
    });
  });

  it("falls back to the original pods where the laptop does not take it, and says 502 where it may not", async () => {
    const refusing = { ok: false, kind: "refused", error: "nothing listens on port 3000" } as const;
    for (
      const [fallback, expected] of [["origin", "origin /"], [
        "error",
        "The laptop of alice does not take the request: nothing listens on port 3000\n",
      ]] as const
    ) {
      await withAgent(async (scene) => {
        await (await scene.laptop("alice", refusing)).rule(scene.rule([], fallback));
        await withSession(scene, async (session) => {
          const call = new Call(session, { ":method": "POST" });
          call.stream.end("body");
          assertEquals((await call.ended()).body, expected);
        });
      }, { origin: answering("origin") });
    }
  });

  it("says 503 for a preview whose laptop is away, 502 for pods that refuse", async () => {
    for (const [origin, status] of [[null, 503], ["refuses", 502]] as const) {
      await withAgent(async (scene) => {
        await withSession(scene, async (session) => {
          assertEquals((await new Call(session, {}).ended()).status, status);
        });
      }, { origin });
    }
  });

  it("laptop_killed_during_exchange: only what cannot be sent again is lost", async () => {
    await withAgent(async (scene) => {
      let asked = 0;
      const thinking = speakHttp2(() => asked++);
      const alice = await scene.laptop("alice", thinking);
      await alice.rule(scene.rule());
      await withSession(scene, async (session) => {
        const reader = new Call(session, { ":path": "/read" });
        const writer = new Call(session, { ":path": "/write", ":method": "POST" });
        writer.stream.end("body");
        await until(() => asked === 2);
        alice.kill();
        assertEquals((await reader.ended()).body, "origin /read");
        await writer.ended();
        assertEquals(writer.status, 502);
        const next = new Call(session, { ":path": "/next", ":method": "POST" });
        next.stream.end("body");
        assertEquals((await next.ended()).body, "origin /next");
      });
    }, { origin: answering("origin") });
  });

  it("sends GOAWAY when it drains, and what is under way comes to its end", async () => {
    await withAgent(async (scene) => {
      const alice = await scene.laptop("alice");
      await withSession(scene, async (session) => {
        const call = new Call(session, { ":method": "POST" });
        call.stream.write("one");
        await until(() => call.body === "origin ONE");
        let gone = false;
        session.on("goaway", () => gone = true);
        await alice.ask({ type: "drain", ms: 0 });
        await until(() => gone, "GOAWAY");
        call.stream.end("two");
        await call.ended();
        assertEquals(call.trailers["grpc-status"], "0");
        assertStringIncludes(call.body, "origin TWO");
      });
    }, { origin: conversing("origin") });
  });
});
