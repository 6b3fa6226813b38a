// Multiplies: `GET /multiply/6/7` on port 8080, and a gRPC call with "6*7" as its whole message on port 9090.
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";

/** The product, or undefined where these are no two numbers. */
function product(text, pattern) {
  const [, a, b] = pattern.exec(text) ?? [];
  return a && String(a * b);
}

/** What browsers have found, by their names. */
const told = new Map();

createServer((request, response) => {
  const [, page] = /^\/page\/(\w+)$/.exec(request.url) ?? [];
  if (page) return response.writeHead(200, { "content-type": "text/html" }).end(pageOf(page));
  const [, teller, telling] = /^\/told\/(\w+)(?:\/(\d+))?$/.exec(request.url) ?? [];
  if (telling) told.set(teller, telling);
  if (telling) return response.end();
  if (teller) return response.end(told.get(teller) ?? "", () => told.delete(teller));
  // What git asks of a server that only has files: https://git-scm.com/docs/http-protocol
  if (request.url.startsWith("/product.git/info/refs")) {
    return response.end(`${"42".padStart(40, "0")}\trefs/heads/main\n`);
  }
  const answer = product(request.url, /^\/multiply\/(\d+)\/(\d+)$/);
  response.writeHead(answer ? 200 : 404, { "content-type": "text/plain" }).end(
    answer ?? "There is only /multiply/A/B\n",
  );
}).listen(8080);

/** Asks while it loads, and tells the answer back. */
function pageOf(name) {
  return `<!doctype html><title>Product</title><script>
    function ask(path) {
      const request = new XMLHttpRequest();
      request.open("GET", path, false);
      request.send();
      return request.responseText;
    }
    ask("/told/${name}/" + ask("/multiply/6/7"));
  </script>`;
}

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
