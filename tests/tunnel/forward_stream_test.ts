import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { concatBytes } from "../../src/stream/concat_bytes.ts";
import { type ForwardStream, StreamError } from "../../src/tunnel/forward_stream.ts";
import { settled } from "../fake_clock.ts";
import { readAll } from "../stream/scripted_source.ts";
import { sessionPair } from "./session_pair.ts";
import { controlFrame, dataFrame } from "./spdy_server.ts";

const none = new Uint8Array(0);
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array) => new TextDecoder().decode(value);
const read = (stream: ForwardStream) => stream.read(new Uint8Array(100_000));
const failure = (reading: Promise<unknown>) => assertRejects(() => reading, StreamError);

/** A stream and what the node sees of it. */
async function connected(capacity?: number) {
  const pair = sessionPair(capacity);
  const stream = pair.session.connect(8080);
  await settled();
  return { ...pair, stream, pod: pair.server.last };
}

describe("ForwardStream", () => {
  it("ends cleanly where the pod ended and the error stream says nothing", async () => {
    const { stream, pod, close } = await connected();
    await pod.write("hello");
    await pod.finish();
    assertEquals(text(await readAll(stream)), "hello");
    assertEquals([stream.ended, stream.live], [true, false]);
    assertEquals((await failure(stream.write(bytes("late")))).code, "ECONNRESET");
    await close();
  });

  it("waits for the error stream before it calls an end clean", async () => {
    const { server, stream, pod, close } = await connected();
    const reading = read(stream);
    await server.send(dataFrame(pod.dataId, none, true));
    await settled();
    assertEquals(stream.ended, false);
    await server.send(dataFrame(pod.errorId, none, true));
    assertEquals(await reading, null);
    await close();
  });

  it("gives what came before, then a reset, where the error stream has text", async () => {
    const { stream, pod, close } = await connected();
    await pod.write("half of");
    await pod.fail(
      'error forwarding port 8080 to pod 12ab, uid : failed to execute portforward in network namespace "/var/run/netns/x": ' +
        "read tcp4 127.0.0.1:1->127.0.0.1:8080: read: connection reset by peer",
    );
    assertEquals(await read(stream), 7);
    const { code, message } = await failure(read(stream));
    assertEquals(code, "ECONNRESET");
    const reason = "read tcp4 127.0.0.1:1->127.0.0.1:8080: read: connection reset by peer";
    assertEquals(message, `the pod broke off the connection to port 8080: ${reason}`);
    await close();
  });

  it("is refused where the pod does not listen", async () => {
    const { stream, pod, close } = await connected();
    const confirmed = stream.confirmed(30);
    await pod.refuse();
    assertEquals((await confirmed)?.code, "ECONNREFUSED");
    assertStringIncludes((await failure(read(stream))).message, "nothing listens on port 8080");
    assertEquals((await failure(stream.write(bytes("x")))).code, "ECONNREFUSED");
    assertEquals((await stream.confirmed(30))?.code, "ECONNREFUSED", "asked again");
    await close();
  });

  it("says that the pod is gone where its sandbox is", async () => {
    for (
      const words of ['failed to find sandbox "12ab" in store: not found', 'sandbox container "12ab" is not running']
    ) {
      const { stream, pod, close } = await connected();
      await pod.fail(`error forwarding port 8080 to pod 12ab, uid : ${words}`);
      assertEquals((await failure(read(stream))).code, "EHOSTUNREACH");
      await close();
    }
  });

  it("is reset, not refused, where the same words come after data", async () => {
    const { stream, pod, close } = await connected();
    await pod.write("x");
    await pod.refuse();
    await read(stream);
    assertEquals((await failure(read(stream))).code, "ECONNRESET");
    await close();
  });

  it("fails when the node resets it, with the error stream's words where there are some", async () => {
    const silent = await connected();
    await silent.server.send(controlFrame(3, [silent.pod.dataId, 5]), controlFrame(3, [silent.pod.errorId, 5]));
    assertEquals((await failure(read(silent.stream))).message, "the node reset the connection");
    await silent.close();

    const { server, stream, pod, close } = await connected();
    await server.send(
      dataFrame(pod.errorId, bytes("failed to connect to localhost:8080: connection refused")),
      controlFrame(3, [pod.dataId, 5]),
      controlFrame(3, [pod.errorId, 5]),
    );
    assertEquals((await failure(read(stream))).code, "ECONNREFUSED");
    await close();
  });

  it("takes acceptance, data and end that come together", async () => {
    const { server, session, close } = sessionPair();
    server.accepts = false;
    const stream = session.connect(80);
    const confirmed = stream.confirmed(30);
    await settled();
    const { dataId, errorId, replies } = server.last;
    await server.send(concatBytes([
      replies,
      dataFrame(dataId, bytes("all at once")),
      dataFrame(dataId, none, true),
      dataFrame(errorId, none, true),
    ]));
    assertEquals(await confirmed, undefined);
    assertEquals(text(await readAll(stream)), "all at once");
    await close();
  });

  it("takes acceptance and refusal that come together", async () => {
    const { server, session, close } = sessionPair();
    server.accepts = false;
    const stream = session.connect(80);
    const confirmed = stream.confirmed(30);
    await settled();
    server.last.reply();
    await server.last.refuse();
    assertEquals((await confirmed)?.code, "ECONNREFUSED");
    await close();
  });

  it("stands once it was accepted and nothing came for the time of grace, or at the first byte", async () => {
    const { clock, stream, close } = await connected();
    let outcome: unknown = "waiting";
    stream.confirmed(30).then((error) => outcome = error);
    await clock.advance(29);
    assertEquals(outcome, "waiting");
    await clock.advance(1);
    assertEquals(outcome, undefined);
    await close();

    const other = await connected();
    const confirmed = other.stream.confirmed(30);
    await other.pod.write("x");
    assertEquals(await confirmed, undefined);
    await other.close();
  });

  it("settles everything that waits when it is closed or reset here", async () => {
    for (const end of ["close", "reset"] as const) {
      const { clock, server, session, close } = sessionPair();
      server.accepts = false;
      const stream = session.connect(80);
      const confirmed = stream.confirmed(30);
      const reading = read(stream).catch((error) => error.code);
      await settled();
      stream[end]();
      assertEquals(
        [await reading, (await confirmed)?.code],
        end === "close" ? [null, undefined] : ["ECONNABORTED", "ECONNABORTED"],
      );
      await settled();
      assertEquals([server.last.cancelled, clock.pending, session.live.length], [true, 1, 0]);
      stream.close();
      stream.reset();
      await failure(stream.write(bytes("late")));
      await stream.closeWrite();
      await close();
    }
  });

  it("tells the node nothing where it is closed after both sides have ended", async () => {
    const { stream, pod, close } = await connected();
    await pod.finish();
    assertEquals(await read(stream), null);
    stream.close();
    await settled();
    assertEquals([pod.cancelled, pod.finished], [false, false]);
    await close();
  });

  it("splits what is written into frames of at most 64 KiB, without loss", async () => {
    const { server, stream, pod, close } = await connected();
    const sizes: number[] = [];
    server.onData = (_, data) => void sizes.push(data.length);
    await stream.write(new Uint8Array(150_000).fill(120));
    await settled();
    assertEquals(sizes, [65536, 65536, 18928]);
    assertEquals(pod.received, "x".repeat(150_000));
    await close();
  });
});

describe("the end of our direction", () => {
  it("goes out 100 ms after a client that had its answer has ended", async () => {
    const { clock, stream, pod, close } = await connected();
    await stream.write(bytes("question"));
    await pod.write("answer");
    await read(stream);
    await stream.closeWrite();
    assertEquals(stream.live, false, "the session may serve another");
    await clock.advance(99);
    assertEquals(pod.finished, false);
    await clock.advance(1);
    assertEquals(pod.finished, true);
    await pod.finish();
    assertEquals(await read(stream), null);
    await close();
  });

  it("is held back for 10 s while the pod owes an answer", async () => {
    const { clock, stream, pod, close } = await connected();
    await stream.write(bytes("question"));
    await stream.closeWrite();
    assertEquals(stream.live, true);
    await clock.advance(9_999);
    assertEquals(pod.finished, false);
    await clock.advance(1);
    assertEquals(pod.finished, true);
    await close();
  });

  it("is held back while the pod goes on sending, whose session nobody else gets", async () => {
    const { clock, stream, pod, close } = await connected();
    await stream.write(bytes("question"));
    await stream.closeWrite();
    for (let turn = 0; turn < 10; turn++) {
      await clock.advance(9_000);
      await pod.write(new Uint8Array(1_000));
      await read(stream);
      assertEquals([pod.finished, stream.live], [false, true], `after ${turn}`);
    }
    await pod.finish();
    assertEquals(await read(stream), null);
    await close();
  });

  it("is held back again where a client ended too early and the pod speaks after all", async () => {
    const { clock, stream, pod, close } = await connected();
    await pod.write("greeting");
    await read(stream);
    await stream.closeWrite();
    await clock.advance(49);
    await pod.write("more");
    await read(stream);
    assertEquals(stream.live, true);
    await clock.advance(9_949);
    assertEquals(pod.finished, false);
    await clock.advance(51);
    assertEquals(pod.finished, true);
    await close();
  });

  it("fails the stream where the node does not end it within 3 s, as nobody knows whether all has come", async () => {
    const { clock, session, stream, pod, close } = await connected();
    await pod.write("answer");
    await read(stream);
    await stream.closeWrite();
    await clock.advance(50 + 2_999);
    assertEquals(stream.ended, false);
    const reading = failure(read(stream));
    await clock.advance(1);
    assertEquals((await reading).code, "ETIMEDOUT");
    assertEquals([pod.cancelled, session.live.length], [true, 0]);
    await close();
  });

  it("never cuts short what a slow reader has still to get", async () => {
    const { clock, stream, pod, close } = await connected(1024 * 1024);
    await pod.write("answer");
    await read(stream);
    await stream.closeWrite();
    await clock.advance(100);
    assertEquals(pod.finished, true);
    pod.write(new Uint8Array(400_000));
    pod.finish();
    await clock.advance(30_000);
    assertEquals((await readAll(stream, 10_000)).length, 400_000);
    await close();
  });

  it("goes on for as long as the pod sends even after the end went out", async () => {
    const { clock, stream, pod, close } = await connected();
    await pod.write("answer");
    await read(stream);
    await stream.closeWrite();
    await clock.advance(100);
    for (let turn = 0; turn < 5; turn++) {
      await clock.advance(2_000);
      await pod.write("more");
      assertEquals(await read(stream), 4);
    }
    await pod.finish();
    assertEquals(await read(stream), null);
    await close();
  });

  it("sets no timer where the pod has ended already", async () => {
    const { clock, stream, pod, close } = await connected();
    await pod.finish();
    assertEquals(await read(stream), null);
    await stream.closeWrite();
    await clock.advance(20_000);
    assertEquals(pod.finished, false);
    await close();
  });
});
