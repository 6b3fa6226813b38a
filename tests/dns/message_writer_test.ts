import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Packet } from "dns2";
import fc from "fast-check";
import { MessageWriter } from "../../src/dns/message_writer.ts";

describe("MessageWriter", () => {
  it("writes the bits that dns2's own writer writes", () => {
    const value = fc.tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 1, max: 32 }));
    fc.assert(fc.property(fc.array(value, { maxLength: 300 }), fc.nat(), value, (values, at, [patch, bits]) => {
      const writers = [new Packet.Writer(), new MessageWriter()];
      for (const writer of writers) {
        for (const [value, bits] of values) writer.write(value, bits);
        if (writer.bitLength() >= bits) writer.patch(at % (writer.bitLength() - bits + 1), patch, bits);
      }
      const [theirs, ours] = writers;
      assertEquals(ours!.bitLength(), theirs!.bitLength());
      assertEquals([...ours!.toBuffer()], [...theirs!.toBuffer()]);
    }));
  });

  it("shows the message without copying it, which dns2 asks for after each record", () => {
    const writer = new MessageWriter();
    writer.append(Uint8Array.of(1, 2, 3));
    assertStrictEquals(writer.toBuffer().buffer, writer.bytes.buffer);
  });

  it("takes back what was written behind a length", () => {
    const writer = new MessageWriter();
    writer.append(Uint8Array.of(1, 2, 3, 255));
    writer.cut(3);
    writer.write(1, 8);
    assertEquals([...writer.bytes], [1, 2, 3, 1]);
  });
});
