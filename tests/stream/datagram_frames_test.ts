import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { datagramLimit, DatagramSplitter, frameDatagram } from "../../src/stream/datagram_frames.ts";

describe("framed datagrams", () => {
  it("come out as they went in, whatever pieces they travel in", () => {
    const datagram = fc.uint8Array({ maxLength: 600 });
    fc.assert(fc.property(fc.array(datagram), fc.integer({ min: 1, max: 700 }), (datagrams, piece) => {
      const bytes = Uint8Array.from(datagrams.flatMap((each) => [...frameDatagram(each)]));
      const splitter = new DatagramSplitter();
      const whole: number[][] = [];
      for (let at = 0; at < bytes.length; at += piece) {
        for (const each of splitter.push(bytes.slice(at, at + piece))) whole.push([...each]);
      }
      assertEquals(whole, datagrams.map((each) => [...each]));
    }));
  });

  it("are bounded by what UDP can carry", () => {
    assertEquals(frameDatagram(new Uint8Array(datagramLimit)).length, datagramLimit + 2);
    assertThrows(() => frameDatagram(new Uint8Array(datagramLimit + 1)), RangeError, "65508");
    assertThrows(() => new DatagramSplitter().push(Uint8Array.of(255, 255)), RangeError, "65535");
  });
});
