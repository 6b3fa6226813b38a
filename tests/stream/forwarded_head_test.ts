import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { forwardedHeaders, forwardedResponseHead } from "../../src/stream/forwarded_head.ts";
import type { Framing } from "../../src/stream/http_body.ts";
import type { HeaderList } from "../../src/stream/http_head.ts";

describe("forwardedHeaders", () => {
  it("tells the destination that trailers are welcome, and nothing else of TE", () => {
    assertEquals(forwardedHeaders([["TE", "gzip, trailers"], ["Connection", "TE"]], { kind: "none" }), [
      ["Connection", "TE"],
      ["TE", "trailers"],
    ]);
    assertEquals(forwardedHeaders([["TE", "gzip"]], { kind: "none" }), []);
    assertEquals(forwardedHeaders([["Trailer", "grpc-status"]], { kind: "none" }), [["Trailer", "grpc-status"]]);
  });
});

describe("forwardedResponseHead", () => {
  const back = (headers: HeaderList, framing: Framing, minor: number, persistent: boolean, status = 200) =>
    forwardedResponseHead({ minor: 0, status, reason: "OK", headers }, framing, { minor, persistent }).headers;

  it("says what becomes of the client's connection", () => {
    assertEquals(back([["Connection", "close"]], { kind: "none" }, 1, true), []);
    assertEquals(back([], { kind: "close" }, 1, false), [["Connection", "close"]]);
    assertEquals(back([], { kind: "none" }, 0, true), [["Connection", "keep-alive"]]);
    assertEquals(back([], { kind: "none" }, 0, true, 100), []);
  });

  it("keeps the length of a body that is not sent, and the upgrade of 101", () => {
    assertEquals(back([["Content-Length", "9"]], { kind: "none" }, 1, true), [["Content-Length", "9"]]);
    assertEquals(back([["Transfer-Encoding", "chunked"]], { kind: "chunked" }, 1, true), [[
      "Transfer-Encoding",
      "chunked",
    ]]);
    const upgrade: HeaderList = [["Connection", "Upgrade"], ["Upgrade", "websocket"]];
    assertEquals(back(upgrade, { kind: "none" }, 1, true, 101), upgrade);
  });
});
