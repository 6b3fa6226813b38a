import http2 from "node:http2";
import { bufferedDuplex } from "../../src/stream/buffered_duplex.ts";
import { nodeDuplex } from "../../src/stream/node_duplex.ts";
import type { End } from "../stream/end.ts";

/** A program that speaks HTTP/2 on each connection; `serve` is called for each stream. */
export function speakHttp2(
  serve: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
): (end: End) => Promise<void> {
  return (end) =>
    new Promise<void>((resolve) => {
      const server = http2.createServer();
      const wire = nodeDuplex(bufferedDuplex(end.stream, end.reader));
      wire.on("error", () => {});
      wire.on("close", resolve);
      server.on("sessionError", () => {});
      server.on("stream", (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
        stream.on("error", () => {});
        serve(stream, headers);
      });
      server.emit("connection", wire);
    });
}
