import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { concatBytes } from "../../src/stream/concat_bytes.ts";
import { BufferedReader, UnexpectedEnd } from "../../src/stream/buffered_reader.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { WebSocketError, WebSocketWire } from "../../src/tunnel/websocket_wire.ts";
import { settled } from "../fake_clock.ts";
import { duplexPair } from "../stream/duplex_pair.ts";
import { readAll, scriptedSource } from "../stream/scripted_source.ts";
import { encodeFrame, readFrame } from "./websocket_frames.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array) => new TextDecoder().decode(value);

/** A wire that hears `input`, split as told, and whose own words nobody hears. */
function hearing(input: Uint8Array, cuts: readonly number[] = []): WebSocketWire {
  const source = scriptedSource(input, cuts);
  const connection: Duplex = {
    read: (into) => source.read(into),
    write: () => Promise.resolve(),
    closeWrite: () => Promise.resolve(),
    reset() {},
    close() {},
  };
  return new WebSocketWire(connection, new BufferedReader(connection));
}

/** A wire and the server's end of its connection. */
function connected(capacity?: number): { wire: WebSocketWire; server: Duplex; reader: BufferedReader } {
  const [client, server] = duplexPair(capacity);
  return { wire: new WebSocketWire(client, new BufferedReader(client)), server, reader: new BufferedReader(server) };
}

const anyPart = fc.oneof(
  fc.record({
    opcode: fc.constantFrom(2, 0),
    payload: fc.uint8Array({ maxLength: 300 }),
    options: fc.record({ fin: fc.boolean(), lengthBytes: fc.constantFrom<2 | 8>(2, 8) }, { requiredKeys: [] }),
  }),
  fc.record({ opcode: fc.constantFrom(9, 10), payload: fc.uint8Array({ maxLength: 125 }), options: fc.constant({}) }),
);

describe("WebSocketWire", () => {
  it("reads the bytes of binary messages, however framed and split, with control frames between", async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(anyPart, { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 400 }),
      async (parts, cuts, pieceLimit) => {
        const input = concatBytes(parts.map(({ opcode, payload, options }) => encodeFrame(opcode, payload, options)));
        const data = concatBytes(parts.filter(({ opcode }) => opcode < 8).map(({ payload }) => payload));
        assertEquals(await readAll(hearing(input, cuts), pieceLimit), data);
      },
    ));
  });

  it("reads messages whole, however fragmented and split, and refuses those that are too long", async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 }),
      async (messages, cuts) => {
        const frames = messages.map((parts) =>
          concatBytes(parts.flatMap((part, at) => [
            encodeFrame(at === 0 ? 2 : 0, part, { fin: at === parts.length - 1 }),
            encodeFrame(9, bytes("ping")),
          ]))
        );
        const wire = hearing(concatBytes(frames), cuts);
        for (const parts of messages) assertEquals(await wire.message(1200), concatBytes(parts));
        assertEquals(await wire.message(1200), null);
      },
    ));
    const long = [encodeFrame(2, new Uint8Array(60), { fin: false }), encodeFrame(0, new Uint8Array(41))];
    await assertRejects(() => hearing(concatBytes(long)).message(100), WebSocketError);
    await assertRejects(() => hearing(encodeFrame(2, new Uint8Array(9), { fin: false })).message(100), UnexpectedEnd);
  });

  it("reads the same when the input is split at every byte", async () => {
    const input = concatBytes([
      encodeFrame(2, bytes("one "), { fin: false }),
      encodeFrame(9, bytes("ping")),
      encodeFrame(0, bytes("two "), { lengthBytes: 8 }),
      encodeFrame(2, new Uint8Array(0)),
      encodeFrame(2, bytes("x".repeat(200))),
    ]);
    const expected = "one two " + "x".repeat(200);
    for (let at = 1; at < input.length; at++) {
      assertEquals(text(await readAll(hearing(input, [at, input.length]))), expected);
    }
    assertEquals(text(await readAll(hearing(input, [1]), 1)), expected);
  });

  it("reads messages of more than 64 KiB without holding them", async () => {
    const payload = crypto.getRandomValues(new Uint8Array(60_000));
    const large = concatBytes([payload, payload, payload]);
    assertEquals(await readAll(hearing(encodeFrame(2, large), [7001])), large);
  });

  for (const length of [0, 1, 2, 3, 4, 5, 125, 126, 127, 65535, 65536, 70_001]) {
    it(`writes ${length} bytes as one masked binary message`, async () => {
      const { wire, reader } = connected(200_000);
      const data = new Uint8Array(length).map((_, index) => index * 31);
      await wire.write([data.subarray(0, length >> 1), new Uint8Array(0), data.subarray(length >> 1)]);
      const frame = await readFrame(reader);
      assertEquals(frame, { fin: true, opcode: 2, masked: true, payload: data });
    });
  }

  it("masks each message with another key and uses the shortest length", async () => {
    const [client, server] = duplexPair();
    const wire = new WebSocketWire(client, new BufferedReader(client));
    const keys = new Set<string>();
    for (let turn = 0; turn < 20; turn++) {
      await wire.write([new Uint8Array(10)]);
      const raw = new Uint8Array(100);
      assertEquals(await server.read(raw), 16);
      assertEquals([raw[0], raw[1]], [0x82, 0x8a]);
      keys.add(String(raw.slice(2, 6)));
      assertEquals(String(raw.slice(6, 10)), String(raw.slice(2, 6)), "zeros masked are the key");
    }
    assertEquals(keys.size > 15, true);
    assertNotEquals([...keys][0], "0,0,0,0");
  });

  it("does not change what it was given to write, and may reuse it afterwards", async () => {
    const { wire, reader } = connected();
    const data = bytes("first");
    await wire.write([data]);
    assertEquals(text(data), "first");
    data.set(bytes("other"));
    await wire.write([data]);
    assertEquals(text((await readFrame(reader))!.payload), "first");
    assertEquals(text((await readFrame(reader))!.payload), "other");
  });

  it("answers pings with their payload and a close with its status, then ends", async () => {
    const { wire, server, reader } = connected();
    const reading = readAll(wire);
    await server.write(encodeFrame(9, bytes("are you there")));
    await server.write(encodeFrame(2, bytes("data")));
    await server.write(encodeFrame(8, Uint8Array.from([0x03, 0xe8, ...bytes("bye")])));
    assertEquals(text(await reading), "data");
    assertEquals(await readFrame(reader), { fin: true, opcode: 10, masked: true, payload: bytes("are you there") });
    assertEquals((await readFrame(reader))?.payload, Uint8Array.from([0x03, 0xe8]));
  });

  it("puts pongs between messages, never into one", async () => {
    const { wire, server, reader } = connected(100);
    const writing = wire.write([new Uint8Array(5000)]);
    const reading = wire.read(new Uint8Array(10));
    await server.write(encodeFrame(9, bytes("now")));
    await server.write(encodeFrame(2, bytes("x")));
    const first = await readFrame(reader);
    assertEquals([first?.opcode, first?.payload.length], [2, 5000]);
    assertEquals((await readFrame(reader))?.opcode, 10);
    await writing;
    assertEquals(await reading, 1);
  });

  it("does not heap up answers to a server that pings and never reads", async () => {
    const { wire, server, reader } = connected(300);
    const reading = wire.read(new Uint8Array(1));
    const stuck = wire.write([new Uint8Array(1000)]);
    for (let turn = 0; turn < 1000; turn++) await server.write(encodeFrame(9, bytes(String(turn).padStart(120))));
    await server.write(encodeFrame(2, bytes("x")));
    assertEquals(await reading, 1);
    const opcodes: number[] = [];
    const answers = (async () => {
      for (let frame; (frame = await readFrame(reader)) !== null;) {
        opcodes.push(frame.opcode);
        if (frame.opcode === 10) assertEquals(text(frame.payload).trim(), "999", "the latest ping is answered");
      }
    })();
    await stuck;
    await settled();
    assertEquals(opcodes, [2, 10]);
    wire.close();
    await answers.catch(() => {});
  });

  it("refuses to write once it is closed, and ends", async () => {
    const { wire, server } = connected();
    wire.close();
    await assertRejects(() => wire.write([bytes("x")]), WebSocketError, "closed");
    await assertRejects(() => server.read(new Uint8Array(1)), Error, "reset");
    wire.close();
  });

  const faults: ReadonlyArray<readonly [string, Uint8Array]> = [
    ["a masked frame", encodeFrame(2, bytes("x"), { masked: true })],
    ["reserved bits", encodeFrame(2, bytes("x"), { reserved: 4 })],
    ["text", encodeFrame(1, bytes("x"))],
    ["an unknown data opcode", encodeFrame(3, bytes("x"))],
    ["an unknown control opcode", encodeFrame(11, bytes("x"))],
    ["a control frame of 126 bytes", encodeFrame(9, new Uint8Array(126))],
    ["a control frame in fragments", encodeFrame(9, bytes("x"), { fin: false })],
    ["a length beyond 2^53", Uint8Array.from([0x82, 127, 0, 0x20, 0, 0, 0, 0, 0, 0])],
    ["a length with the highest bit", Uint8Array.from([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 1])],
    ["an HTTP answer", bytes("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ];
  for (const [what, input] of faults) {
    it(`refuses ${what}`, async () => {
      await assertRejects(() => readAll(hearing(input)), WebSocketError);
    });
  }

  it("tells an end between frames from one within", async () => {
    assertEquals(await hearing(new Uint8Array(0)).read(new Uint8Array(1)), null);
    const frame = encodeFrame(2, bytes("x".repeat(200)));
    for (const length of [1, 2, 3, 100]) {
      await assertRejects(() => readAll(hearing(frame.subarray(0, length))), UnexpectedEnd, "a WebSocket frame");
    }
  });

  it("takes any announced length without allocating it", async () => {
    const wire = hearing(Uint8Array.from([0x82, 127, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]));
    const into = new Uint8Array(10);
    assertEquals(await wire.read(into), 3);
    await assertRejects(() => wire.read(into), UnexpectedEnd);
  });

  it("ends on noise, with its own errors only", async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (input) => {
      await readAll(hearing(input)).catch((error) => {
        if (!(error instanceof UnexpectedEnd) && !(error instanceof WebSocketError)) throw error;
      });
    }));
  });
});
