import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { DialError } from "../../src/tunnel/dialer.ts";
import { EarlyStream } from "../../src/tunnel/early_stream.ts";
import { type ForwardStream, StreamError } from "../../src/tunnel/forward_stream.ts";
import { settled } from "../fake_clock.ts";
import { readAll } from "../stream/scripted_source.ts";
import { sessionPair } from "./session_pair.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array) => new TextDecoder().decode(value);
const read = async (stream: EarlyStream) => {
  const into = new Uint8Array(1000);
  const count = await stream.read(into);
  return count === null ? null : text(into.subarray(0, count));
};

/** An early stream whose attempts go to the ports 1, 2 and so on, each in a session of its own; `server` is that of the latest. */
async function early(attempts = 2) {
  const first = sessionPair(1024 * 1024);
  const pairs = [first];
  const state = { port: 1, answers: 0, asked: [] as string[], gate: undefined as Promise<void> | undefined };
  const stream = new EarlyStream(first.session.connect(1), {
    onAnswer: () => void state.answers++,
    next: async (failed): Promise<ForwardStream> => {
      state.asked.push(failed.code);
      await state.gate;
      if (state.port === attempts) throw new DialError("refused", "none is left");
      const pair = sessionPair(1024 * 1024);
      pairs.push(pair);
      return pair.session.connect(++state.port);
    },
  });
  await settled();
  const server = {
    get last() {
      return pairs.at(-1)!.server.last;
    },
    get live() {
      return pairs.reduce((live, { server }) => live + server.live, 0);
    },
    reset: () => first.server.reset(),
  };
  const close = async () => {
    for (const pair of pairs) await pair.close();
  };
  const advance = async (ms: number) => {
    for (const { clock } of pairs) await clock.advance(ms);
  };
  return { ...first, clock: { advance }, server, stream, state, close };
}

describe("EarlyStream", () => {
  it("says once that the pod has answered, and carries on", async () => {
    const { server, stream, state, close } = await early();
    await stream.write(bytes("question"));
    await server.last.write("answer");
    assertEquals(await read(stream), "answer");
    await server.last.write("more");
    assertEquals(await read(stream), "more");
    assertEquals(state, { port: 1, answers: 1, asked: [], gate: undefined });
    await close();
  });

  it("sends what was written to the next pod where the first does not listen", async () => {
    const { server, stream, state, close } = await early();
    await stream.write(bytes("question, "));
    await stream.write(bytes("in two parts"));
    await server.last.refuse();
    const reading = read(stream);
    await settled();
    assertEquals([server.last.port, server.last.received], [2, "question, in two parts"]);
    await server.last.write("answer");
    assertEquals(await reading, "answer");
    await stream.write(bytes("!"));
    await settled();
    assertEquals(server.last.received, "question, in two parts!");
    assertEquals([state.asked, state.answers], [["ECONNREFUSED"], 1]);
    await close();
  });

  it("sends it to the next pod as well where the first is gone", async () => {
    const { server, stream, state, close } = await early();
    await stream.write(bytes("question"));
    await server.last.fail(
      'error forwarding port 1 to pod 12ab, uid : failed to find sandbox "12ab" in store: not found',
    );
    const reading = read(stream);
    await settled();
    await server.last.write("answer");
    assertEquals([await reading, server.last.received, state.asked], ["answer", "question", ["EHOSTUNREACH"]]);
    await close();
  });

  it("ends its direction on the next pod too, where it had ended", async () => {
    const { clock, server, stream, close } = await early();
    await stream.write(bytes("question"));
    await stream.closeWrite();
    await server.last.refuse();
    const reading = read(stream);
    await clock.advance(10_000);
    assertEquals([server.last.port, server.last.received, server.last.finished], [2, "question", true]);
    await server.last.write("answer");
    assertEquals(await reading, "answer");
    await close();
  });

  it("sends each byte once, in order, where more is written while it is being sent again", async () => {
    const { server, stream, close } = await early();
    for (let count = 0; count < 9; count++) await stream.write(bytes(`${count} `));
    await server.last.refuse();
    const reading = read(stream);
    await settled(1);
    // Each write begins in another turn of the recovery that goes on meanwhile.
    for (let count = 9; count < 30; count++) {
      await stream.write(bytes(`${count} `));
      await Promise.resolve();
    }
    await settled();
    assertEquals(server.last.received, Array.from({ length: 30 }, (_, count) => `${count} `).join(""));
    await server.last.write("answer");
    assertEquals(await reading, "answer");
    await close();
  });

  it("sends each byte once wherever in the recovery the next write begins", async () => {
    for (let delay = 0; delay < 40; delay++) {
      const { server, stream, close } = await early();
      for (const part of ["a", "b", "c", "d"]) await stream.write(bytes(part));
      await settled();
      const refused = server.last.refuse();
      const reading = read(stream);
      for (let turn = 0; turn < delay; turn++) await Promise.resolve();
      await stream.write(bytes("e"));
      await stream.write(bytes("f"));
      await refused;
      await settled();
      assertEquals(server.last.received, "abcdef", `after ${delay}`);
      await server.last.write("answer");
      assertEquals(await reading, "answer");
      await close();
    }
  });

  it("meets the refusal by writing as well as by reading", async () => {
    const { server, stream, close } = await early();
    await stream.write(bytes("one "));
    await server.last.refuse();
    await settled();
    await stream.write(bytes("two"));
    await settled();
    assertEquals([server.last.port, server.last.received], [2, "one two"]);
    await close();
  });

  it("tries nothing again after an answer", async () => {
    const { server, stream, state, close } = await early();
    await stream.write(bytes("question"));
    await server.last.write("a");
    await server.last.fail("connection reset by peer");
    assertEquals(await read(stream), "a");
    assertEquals((await assertRejects(() => read(stream), StreamError)).code, "ECONNRESET");
    assertEquals(state.asked, []);
    await close();
  });

  it("tries nothing again where a program may have seen what was written", async () => {
    const { server, stream, state, close } = await early();
    await stream.write(bytes("question"));
    await server.last.fail("connection reset by peer");
    assertEquals((await assertRejects(() => read(stream), StreamError)).code, "ECONNRESET");
    assertEquals(state.asked, []);
    await close();
  });

  it("tries nothing again once more was written than it keeps", async () => {
    const { server, stream, state, close } = await early();
    await stream.write(new Uint8Array(60_000));
    await stream.write(new Uint8Array(60_000));
    await server.last.refuse();
    assertEquals((await assertRejects(() => read(stream), StreamError)).code, "ECONNREFUSED");
    assertEquals(state.asked, []);
    await close();
  });

  it("loses nothing where the write that is one too many comes while it is being sent again", async () => {
    const { server, stream, state, close } = await early();
    await stream.write(bytes("x".repeat(60_000)));
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    await server.last.refuse();
    const reading = read(stream);
    await settled();
    const writing = stream.write(bytes("y".repeat(60_000)));
    gate.resolve();
    await writing;
    await settled();
    assertEquals(server.last.received === "x".repeat(60_000) + "y".repeat(60_000), true);
    await server.last.write("answer");
    assertEquals(await reading, "answer");
    await close();
  });

  it("goes on without a word where the session died before it took the stream and nothing was written", async () => {
    const { server, session, stream, state } = await early();
    server.reset();
    await assertRejects(() => read(stream), Error);
    assertEquals([state.asked, session.open], [[], false], "this one had been accepted");

    const other = sessionPair();
    other.server.accepts = false;
    const spare = sessionPair();
    const asked: string[] = [];
    const lucky = new EarlyStream(other.session.connect(1), {
      onAnswer() {},
      next: (failed) => (asked.push(failed.code), Promise.resolve(spare.session.connect(1))),
    });
    await settled();
    other.server.reset();
    const reading = read(lucky);
    await settled();
    await spare.server.last.write("hello");
    assertEquals([await reading, asked], ["hello", ["ECONNRESET"]]);
    await spare.close();
  });

  it("reports what the last attempt says, to reader and writer", async () => {
    const { server, stream, state, close } = await early(1);
    await stream.write(bytes("question"));
    await server.last.refuse();
    const reading = assertRejects(() => read(stream), DialError);
    await settled();
    assertEquals((await reading).message, "none is left");
    await assertRejects(() => stream.write(bytes("more")), DialError);
    assertEquals(state.asked.length >= 1, true);
    await close();
  });

  it("leaves no connection behind where it is closed or reset while the next pod is looked for", async () => {
    for (const end of ["close", "reset"] as const) {
      const { server, session, stream, state, close } = await early();
      const gate = Promise.withResolvers<void>();
      state.gate = gate.promise;
      await stream.write(bytes("question"));
      await server.last.refuse();
      const reading = read(stream).catch(() => "failed");
      await settled();
      stream[end]();
      gate.resolve();
      assertEquals(await reading, "failed");
      await settled();
      assertEquals([session.live.length, server.live], [0, 0], end);
      await close();
    }
  });

  it("does not touch a pod that ends without a word", async () => {
    const { server, stream, state, close } = await early();
    await stream.write(bytes("question"));
    await server.last.finish();
    assertEquals(text(await readAll(stream)), "");
    assertEquals([state.asked, state.answers], [[], 0]);
    await close();
  });
});
