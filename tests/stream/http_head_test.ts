import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import {
  formatRequestHead,
  formatResponseHead,
  hasMember,
  header,
  type HeaderList,
  HeadError,
  parseRequestHead,
  parseResponseHead,
} from "../../src/stream/http_head.ts";

/** One character, one byte. */
const bytes = (text: string) => Uint8Array.from(text, (each) => each.charCodeAt(0));
const text = (value: Uint8Array) => String.fromCharCode(...value);

const tokenCharacters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const anyToken = fc.string({ unit: fc.constantFrom(...tokenCharacters), minLength: 1, maxLength: 12 });
const anyValue = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f).map((code) => String.fromCharCode(code)),
  maxLength: 20,
}).map((value) => value.replace(/^[ \t]+|[ \t]+$/g, ""));
const anyHeaders: fc.Arbitrary<HeaderList> = fc.array(fc.tuple(anyToken, anyValue), { maxLength: 6 });
const anyTarget = fc.string({ unit: fc.constantFrom(..."/abc?&=%:.@[]*"), minLength: 1, maxLength: 20 });

describe("HTTP/1 heads", () => {
  it("come back from their bytes as they were, in order and spelling", () => {
    fc.assert(fc.property(anyToken, anyTarget, fc.constantFrom(0, 1), anyHeaders, (method, target, minor, headers) => {
      const head = { method, target, minor, headers };
      assertEquals(parseRequestHead(formatRequestHead(head)), head);
    }));
    fc.assert(fc.property(fc.integer({ min: 100, max: 999 }), anyValue, anyHeaders, (status, reason, headers) => {
      const head = { minor: 1, status, reason, headers };
      assertEquals(parseResponseHead(formatResponseHead(head)), head);
    }));
  });

  it("are refused by a HeadError and nothing else, whatever the bytes", () => {
    const line = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
    const almost = fc.tuple(
      fc.constantFrom("GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", ""),
      fc.array(line, { maxLength: 4 }),
    ).map(([first, lines]) => bytes(first + lines.join("\r\n") + "\r\n\r\n"));
    for (const parse of [parseRequestHead, parseResponseHead]) {
      fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), almost), (input) => {
        try {
          parse(input);
        } catch (error) {
          assertInstanceOf(error, HeadError);
        }
      }));
    }
  });

  it("never let a line through that another server would split in two", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom("target", "reason", "value"), (raw, place) => {
        const dirt = text(raw);
        const input = place === "target"
          ? `GET /${dirt} HTTP/1.1\r\n\r\n`
          : place === "reason"
          ? `HTTP/1.1 200 ${dirt}\r\n\r\n`
          : `HTTP/1.1 200 OK\r\nX: ${dirt}\r\n\r\n`;
        let formatted: string;
        try {
          formatted = place === "target"
            ? text(formatRequestHead(parseRequestHead(bytes(input))))
            : text(formatResponseHead(parseResponseHead(bytes(input))));
        } catch (error) {
          return assertInstanceOf(error, HeadError);
        }
        assertEquals(
          [...formatted.replaceAll("\r\n", "")].find((each) => "\0\r\n".includes(each)),
          undefined,
          JSON.stringify(formatted),
        );
      }),
    );
  });

  for (
    const [what, head] of [
      ["a carriage return in the target", "GET /a\rX:y HTTP/1.1\r\n\r\n"],
      ["a NUL in the target", "GET /\0 HTTP/1.1\r\n\r\n"],
      ["two targets", "GET / / HTTP/1.1\r\n\r\n"],
      ["a tab in the target", "GET /\t HTTP/1.1\r\n\r\n"],
      ["no target", "GET  HTTP/1.1\r\n\r\n"],
      ["a method that is no token", "G(T / HTTP/1.1\r\n\r\n"],
      ["HTTP/2", "PRI * HTTP/2.0\r\n\r\n"],
      ["HTTP/0.9", "GET /\r\n\r\n"],
      ["a version of two digits", "GET / HTTP/1.10\r\n\r\n"],
      ["a folded line", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"],
      ["a space before the colon", "GET / HTTP/1.1\r\nContent-Length : 5\r\n\r\n"],
      ["a space before the name", "GET / HTTP/1.1\r\n Host: x\r\n\r\n"],
      ["a line without colon", "GET / HTTP/1.1\r\nHost\r\n\r\n"],
      ["an empty name", "GET / HTTP/1.1\r\n: x\r\n\r\n"],
      ["a carriage return in a value", "GET / HTTP/1.1\r\nA: b\rContent-Length: 5\r\n\r\n"],
      ["a carriage return before the end of a line", "GET / HTTP/1.1\r\nA: b\r\r\n\r\n"],
      ["a NUL in a value", "GET / HTTP/1.1\r\nA: \0\r\n\r\n"],
      ["a name in UTF-8", "GET / HTTP/1.1\r\nÄ: x\r\n\r\n"],
    ] as const
  ) {
    it(`refuse ${what}`, () => {
      assertThrows(() => parseRequestHead(bytes(head)), HeadError);
    });
  }

  it("take bare line feeds, tabs around values, empty values, and keep bytes over 127", () => {
    const head = parseRequestHead(
      bytes("GET http://x/ HTTP/1.1\nA:\t b\tc \nB:\n\xc3: no\n\n".replace("\xc3: no\n", "C: \xc3\xa4\n")),
    );
    assertEquals(head.headers, [["A", "b\tc"], ["B", ""], ["C", "\xc3\xa4"]]);
    assertEquals(parseResponseHead(bytes("HTTP/1.1 200\r\n\r\n")).reason, "");
    assertEquals(parseResponseHead(bytes("HTTP/1.1 404 Not Found\r\n\r\n")).reason, "Not Found");
    assertEquals(parseResponseHead(bytes("HTTP/1.0 200 \r\n\r\n")).minor, 0);
  });

  it("show only the beginning of a bad line", () => {
    const error = assertThrows(() => parseRequestHead(bytes("A".repeat(500) + "\r\n\r\n")), HeadError);
    assertEquals(error.message.length < 120, true);
  });

  it("are not written with text that would end a line early", () => {
    for (const dirt of ["a\r\nX: y", "a\nb", "a\0", "\u010a", "\u560d\u560a"]) {
      const headers: HeaderList = [["A", dirt]];
      assertThrows(() => formatRequestHead({ method: "GET", target: "/", minor: 1, headers }), HeadError);
      assertThrows(() => formatRequestHead({ method: "GET", target: dirt, minor: 1, headers: [] }), HeadError);
      assertThrows(() => formatResponseHead({ minor: 1, status: 200, reason: dirt, headers: [] }), HeadError);
    }
  });

  it("join repeated fields and find members of lists in any case", () => {
    const headers: HeaderList = [["Connection", "keep-alive"], ["X", "1"], ["CONNECTION", "Upgrade , close"]];
    assertEquals(header(headers, "connection"), "keep-alive, Upgrade , close");
    assertEquals(header(headers, "absent"), undefined);
    assertEquals(hasMember(headers, "connection", "upgrade"), true);
    assertEquals(hasMember(headers, "connection", "up"), false);
    assertStringIncludes(String(header(headers, "X")), "1");
  });
});
