import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { sniff } from "../../src/agent/sniff.ts";

const bytes = (text: string) => Uint8Array.from(text, (each) => each.charCodeAt(0));

describe("sniff", () => {
  const known: ReadonlyArray<readonly [string, string]> = [
    ["http1", "GET / HTTP/1.1\r\nHost: x\r\n"],
    ["http1", "M-SEARCH * HTTP/1.0\n"],
    ["http1", "GET http://x/\xff HTTP/1.1\r\n"],
    ["http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0"],
    ["other", "CONNECT x:443 HTTP/1.1\r\n"],
    ["other", "\x16\x03\x01\x02\0\x01"],
    ["other", "AMQP\0\0\x09\x01"],
    ["other", "*1\r\n$4\r\nPING\r\n"],
    ["other", "PING\r\n"],
    ["other", "CONNECT\naccept-version:1.2\n"],
    ["other", "SSH-2.0-OpenSSH\r\n"],
    ["other", "GET /\r\n"],
    ["other", "\0\0\0\x08\x04\xd2\x16\x2f"],
    ["other", "HELO there\r\n"],
    ["other", "GET / HTTP/2.0\r\n"],
  ];
  for (const [protocol, text] of known) {
    it(`takes ${JSON.stringify(text)} for ${protocol}, and no beginning of it for another`, () => {
      assertEquals(sniff(bytes(text)), protocol);
      for (let length = 0; length < text.length; length++) {
        const early = sniff(bytes(text.slice(0, length)));
        assertEquals(early === undefined || early === protocol, true, `${early} after ${length} bytes`);
      }
    });
  }

  it("decides any bytes in the end, and never changes its mind", () => {
    const noise = fc.array(
      fc.constantFrom("G", "PRI * HTTP/2.0\r\n", "GET ", "/", " ", "HTTP/1.", "1", "\r\n", "\0", "SM"),
      { maxLength: 8 },
    );
    fc.assert(fc.property(noise, (parts) => {
      const text = parts.join("");
      let decided: string | undefined;
      for (let length = 0; length <= text.length; length++) {
        const now = sniff(bytes(text.slice(0, length)));
        if (decided) assertEquals(now, decided);
        decided = now;
      }
    }));
    assertEquals(sniff(new Uint8Array(20_000).fill(65)), "other");
  });
});
