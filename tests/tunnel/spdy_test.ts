import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { constants, inflateSync } from "node:zlib";
import { concatBytes } from "../../src/stream/concat_bytes.ts";
import { dataHead, headLength, parseHead, pingFrame, rstStreamFrame, synStreamFrame } from "../../src/tunnel/spdy.ts";
import { controlFrame, dataFrame } from "./spdy_server.ts";

const anyId = fc.integer({ min: 1, max: 0x7fffffff });

describe("SPDY frames", () => {
  it("read the heads that another writes", () => {
    fc.assert(fc.property(anyId, fc.uint8Array({ maxLength: 300 }), fc.boolean(), (stream, data, fin) => {
      assertEquals(parseHead(dataFrame(stream, data, fin)), {
        control: false,
        stream,
        flags: fin ? 1 : 0,
        length: data.length,
      });
    }));
    fc.assert(fc.property(fc.integer({ min: 1, max: 0xffff }), fc.array(anyId, { maxLength: 9 }), (type, words) => {
      assertEquals(parseHead(controlFrame(type, words)), {
        control: true,
        type,
        flags: 0,
        length: words.length * 4,
      });
    }));
  });

  it("read a head in the middle of other bytes", () => {
    const frame = concatBytes([new Uint8Array(3).fill(255), dataFrame(5, new Uint8Array(2))]);
    assertEquals(parseHead(frame.subarray(3)), { control: false, stream: 5, flags: 0, length: 2 });
  });

  it("never read more than 16 MiB as a length, and refuse other versions", () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: headLength, maxLength: headLength }), (bytes) => {
      if (bytes[0]! >= 128 && (bytes[0] !== 128 || bytes[1] !== 3)) assertThrows(() => parseHead(bytes), RangeError);
      else assertEquals(parseHead(bytes).length < 2 ** 24, true);
    }));
    assertThrows(() => parseHead(new TextEncoder().encode("\x80\x02abcdef").subarray(0, 9)), RangeError);
  });

  it("write what another would", () => {
    fc.assert(fc.property(anyId, fc.uint8Array({ maxLength: 20 }), fc.constantFrom(0, 1), (stream, data, flags) => {
      assertEquals(concatBytes([dataHead(stream, data.length, flags), data]), dataFrame(stream, data, flags === 1));
    }));
    assertEquals(dataHead(1, 0xffffff, 1), Uint8Array.from([0, 0, 0, 1, 1, 255, 255, 255]));
    assertEquals(pingFrame(7), controlFrame(6, [7]));
    assertEquals(rstStreamFrame(0x7fffffff, 5), controlFrame(3, [0x7fffffff, 5]));
  });

  it("write header blocks that one inflater reads one after another, each flushed", () => {
    const pairs = [{ streamtype: "error", port: "1", requestid: "1" }, {
      streamtype: "data",
      port: "65535",
      requestid: "1",
    }];
    const frames = pairs.map((headers, index) => synStreamFrame(index * 2 + 1, headers, index === 0));
    let before = 0;
    frames.forEach((frame, index) => {
      assertEquals(parseHead(frame), { control: true, type: 1, flags: 0, length: frame.length - headLength });
      assertEquals(frame.slice(8, 18), Uint8Array.from([0, 0, 0, index * 2 + 1, 0, 0, 0, 0, 0, 0]));
      // What has come so far must inflate to the end of the block, without an error for what is still to come.
      const blocks = concatBytes(frames.slice(0, index + 1).map((each) => each.slice(18)));
      const plain = new Uint8Array(inflateSync(blocks, { finishFlush: constants.Z_SYNC_FLUSH }));
      const expected = new TextEncoder().encode(
        Object.entries(pairs[index]!).map(([name, value]) =>
          `\0\0\0${String.fromCharCode(name.length)}${name}\0\0\0${String.fromCharCode(value.length)}${value}`
        ).join(""),
      );
      assertEquals(plain.subarray(before), concatBytes([Uint8Array.from([0, 0, 0, 3]), expected]));
      before = plain.length;
    });
  });
});
