// Multiplies: `GET /multiply/6/7` on port 8080, and a gRPC call with "6*7" as its whole message on port 9090.
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";

/** The product, or undefined where these are no two numbers. */
function product(text, pattern) {
  const [, a, b] = pattern.exec(text) ?? [];
  return a && String(a * b);
}

createServer((request, response) => {
  // What a shallow clone of an empty repository asks for, so that git has something to read: one branch.
  if (request.url.startsWith("/product.git/info/refs")) {
    return response.end(`${"42".padStart(40, "0")}\trefs/heads/main\n`);
  }
  const answer = product(request.url, /^\/multiply\/(\d+)\/(\d+)$/);
  response.writeHead(answer ? 200 : 404, { "content-type": "text/plain" }).end(
    answer ?? "There is only /multiply/A/B\n",
  );
}).listen(8080);

createHttp2Server().on("stream", async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  // A flag and a length before the message: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
  const answer = product(Buffer.concat(chunks).subarray(5), /^(\d+)\*(\d+)$/) ?? "";
  const message = Buffer.alloc(5 + answer.length);
  message.writeUInt32BE(answer.length, 1);
  message.write(answer, 5);
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": answer ? "0" : "3" }));
  stream.end(message);
}).listen(9090);
