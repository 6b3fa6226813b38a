import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { concatBytes } from "../../src/stream/concat_bytes.ts";
import { BufferedReader, UnexpectedEnd } from "../../src/stream/buffered_reader.ts";
import { keepsAlive, openBody, requestFraming, responseFraming } from "../../src/stream/http_body.ts";
import { type HeaderList, HeadError } from "../../src/stream/http_head.ts";
import { readAll, scriptedSource } from "./scripted_source.ts";

const bytes = (text: string) => Uint8Array.from(text, (each) => each.charCodeAt(0));
const text = (value: Uint8Array) => String.fromCharCode(...value);
const anyCuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 });

const request = (headers: HeaderList, minor = 1) => requestFraming({ method: "POST", target: "/", minor, headers });
const response = (status: number, headers: HeaderList, method = "GET", minor = 1) =>
  responseFraming({ minor, status, reason: "", headers }, method);

async function dechunk(encoded: string, cuts: readonly number[] = []): Promise<[body: string, rest: string]> {
  const reader = new BufferedReader(scriptedSource(bytes(encoded), cuts));
  const body = text(await readAll(openBody(reader, { kind: "chunked" }), 7));
  return [body, text(await readAll(reader))];
}

describe("requestFraming", () => {
  it("knows bodies by length, by chunks, and none at all", () => {
    assertEquals(request([]), { kind: "none" });
    assertEquals(request([["Content-Length", "0"]]), { kind: "none" });
    assertEquals(request([["content-length", "12"]]), { kind: "length", length: 12 });
    assertEquals(request([["Transfer-Encoding", "Chunked"]]), { kind: "chunked" });
    assertEquals(request([["Content-Length", "5"], ["Content-Length", "5"]]), { kind: "length", length: 5 });
  });

  const ambiguous: ReadonlyArray<readonly [HeaderList, number?]> = [
    [[["Content-Length", "5"], ["Transfer-Encoding", "chunked"]]],
    [[["Transfer-Encoding", "chunked"]], 0],
    [[["Transfer-Encoding", "chunked, chunked"]]],
    [[["Transfer-Encoding", "chunked"], ["Transfer-Encoding", "identity"]]],
    [[["Transfer-Encoding", "gzip, chunked"]]],
    [[["Transfer-Encoding", "xchunked"]]],
    [[["Transfer-Encoding", "\x0bchunked"]]],
    [[["Transfer-Encoding", ""]]],
    [[["Content-Length", "5"], ["Content-Length", "6"]]],
    [[["Content-Length", "5, 6"]]],
    [[["Content-Length", "+5"]]],
    [[["Content-Length", "-5"]]],
    [[["Content-Length", "0x5"]]],
    [[["Content-Length", "5 5"]]],
    [[["Content-Length", "5e1"]]],
    [[["Content-Length", "５"]]],
    [[["Content-Length", ""]]],
    [[["Content-Length", "5,"]]],
    [[["Content-Length", "99999999999999999999"]]],
  ];
  for (const [headers, minor] of ambiguous) {
    const shown = headers.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(" ");
    it(`refuses ${shown}${minor === 0 ? " in HTTP/1.0" : ""}, which others may read differently`, () => {
      assertThrows(() => request(headers, minor), HeadError);
    });
  }
});

describe("responseFraming", () => {
  it("knows the answers that have no body whatever their head says", () => {
    const headers: HeaderList = [["Content-Length", "5"]];
    for (
      const [status, method] of [[200, "HEAD"], [101, "GET"], [204, "GET"], [304, "GET"], [200, "CONNECT"]] as const
    ) {
      assertEquals(response(status, headers, method), { kind: "none" });
    }
    assertEquals(response(200, headers), { kind: "length", length: 5 });
    assertEquals(response(407, headers, "CONNECT"), { kind: "length", length: 5 });
    assertEquals(response(200, []), { kind: "close" });
  });
});

describe("openBody", () => {
  it("gives back any body that was cut into chunks, and leaves what follows", async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 6 }),
      fc.array(fc.constantFrom("", ";a=b", " ; c"), { minLength: 1 }),
      fc.constantFrom("", "Trailer: x\r\n"),
      anyCuts,
      async (chunks, extensions, trailer, cuts) => {
        const encoded = chunks.map((chunk, index) =>
          `${chunk.length.toString(16)}${extensions[index % extensions.length]}\r\n${text(chunk)}\r\n`
        ).join("") + `0\r\n${trailer}\r\nnext`;
        assertEquals(await dechunk(encoded, cuts), [text(concatBytes(chunks)), "next"]);
      },
    ));
  });

  it("keeps the trailers, but those that would give the message another meaning", async () => {
    const encoded = "0\r\nGrpc-Status: 0\r\nContent-Length: 5\r\nX: \xe4\r\n\r\nnext";
    const body = openBody(new BufferedReader(scriptedSource(bytes(encoded), [4])), { kind: "chunked" });
    await readAll(body);
    assertEquals(body.trailers, [["Grpc-Status", "0"], ["X", "\xe4"]]);
  });

  it("fails on anything else with its own errors only, and ends", async () => {
    const noise = fc.array(fc.constantFrom("0", "1", "a", "f", ";", " ", "\r", "\n", "\r\n", "x"), { maxLength: 60 });
    await fc.assert(fc.asyncProperty(noise, anyCuts, async (parts, cuts) => {
      try {
        await dechunk(parts.join(""), cuts);
      } catch (error) {
        if (!(error instanceof UnexpectedEnd) && !(error instanceof RangeError)) assertInstanceOf(error, HeadError);
      }
    }));
  });

  for (
    const [what, encoded] of [
      ["a chunk longer than it says", "3\r\nabcd\r\n0\r\n\r\n"],
      ["a chunk shorter than it says", "5\r\nabc\r\n0\r\n\r\n"],
      ["a negative size", "-1\r\n\r\n"],
      ["a size with a prefix", "0x5\r\nhello\r\n0\r\n\r\n"],
      ["a size behind a space", " 5\r\nhello\r\n0\r\n\r\n"],
      ["no size", "\r\nhello\r\n0\r\n\r\n"],
      ["a size that no number holds", "fffffffffffffffff\r\n"],
      ["a carriage return behind the size", "5\r\r\nhello\r\n0\r\n\r\n"],
      ["an endless extension", `5;${"a".repeat(2000)}\r\nhello\r\n0\r\n\r\n`],
      ["endless trailers", `0\r\n${"A: b\r\n".repeat(10_000)}\r\n`],
      ["an end within a chunk", "5\r\nhel"],
      ["an end within a size", "5"],
      ["an end before the last chunk", "5\r\nhello\r\n"],
      ["an end within the trailers", "0\r\nA: b\r\n"],
    ] as const
  ) {
    it(`refuses ${what}`, async () => {
      const error = await assertRejects(() => dechunk(encoded), Error);
      assertEquals([HeadError, RangeError, UnexpectedEnd].some((kind) => error instanceof kind), true, String(error));
    });
  }

  it("stops at the announced length, says how much is missing, and reads to the close", async () => {
    const reader = new BufferedReader(scriptedSource(bytes("hello rest"), [3]));
    assertEquals(text(await readAll(openBody(reader, { kind: "length", length: 5 }))), "hello");
    assertEquals(await openBody(reader, { kind: "none" }).read(new Uint8Array(1)), null);
    await assertRejects(
      () => readAll(openBody(reader, { kind: "length", length: 9 })),
      UnexpectedEnd,
      "4 bytes before its end",
    );
    const open = new BufferedReader(scriptedSource(bytes("to the end")));
    assertEquals(text(await readAll(openBody(open, { kind: "close" }))), "to the end");
  });
});

describe("keepsAlive", () => {
  it("follows the version unless Connection says otherwise", () => {
    assertEquals(keepsAlive({ minor: 1, headers: [] }), true);
    assertEquals(keepsAlive({ minor: 0, headers: [] }), false);
    assertEquals(keepsAlive({ minor: 0, headers: [["Connection", "Keep-Alive"]] }), true);
    assertEquals(keepsAlive({ minor: 1, headers: [["Connection", "TE, Close"]] }), false);
  });
});
