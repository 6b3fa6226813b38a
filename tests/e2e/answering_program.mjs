// deno-lint-ignore-file explicit-module-boundary-types -- JavaScript, as a pod runs it; the types are in its comments
/**
 * A program that answers with its name, in every way that requests come: HTTP/1.1, WebSocket, and HTTP/2 in clear text as gRPC has it. The same in a
 * pod, run by `node answering_program.mjs NAME HTTP_PORT HTTP2_PORT`, and on the laptop.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import http from "node:http";
import http2 from "node:http2";
import process from "node:process";

/**
 * Starts it on two ports, any free ones where they are 0, by default on all addresses.
 *
 * @param {string} name
 * @param {{ host?: string, httpPort?: number, http2Port?: number }} options
 */
export async function startAnswering(name, { host, httpPort = 0, http2Port = 0 } = {}) {
  const web = http.createServer((request, response) => response.end(`${name} ${request.headers.version ?? ""}`.trim()));
  web.keepAliveTimeout = 60_000;
  const sockets = new Set();
  web.on("upgrade", (request, socket) => {
    sockets.add(socket);
    const key = createHash("sha1").update(
      `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`,
    );
    const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    socket.write([...head, `Sec-WebSocket-Accept: ${key.digest("base64")}`, "", ""].join("\r\n"));
    socket.on("error", () => {}).on("data", (frame) => {
      if ((frame[0] & 15) === 8) return socket.end();
      // The client's frames are masked and short (RFC 6455 §5.2), and come one by one, as it waits for each answer.
      const text = frame.subarray(6).map((byte, at) => byte ^ frame[2 + at % 4]).toString();
      const answer = Buffer.from(`${name} ${text}`);
      socket.write(Buffer.concat([Buffer.from([0x81, answer.length]), answer]));
    });
  });
  const calls = http2.createServer();
  const sessions = new Set();
  calls.on("session", (session) => sessions.add(session));
  calls.on("stream", (stream) => {
    let messages = 0;
    stream.on("error", () => {});
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "x-messages": String(messages) }));
    stream.on("data", (message) => {
      messages++;
      stream.write(`${name} ${message}`);
    });
    stream.on("end", () => stream.end());
  });
  await Promise.all(
    [[web, httpPort], [calls, http2Port]].map(([server, port]) =>
      new Promise((resolve, reject) => server.on("error", reject).listen(port, host, resolve))
    ),
  );
  return {
    httpPort: web.address().port,
    http2Port: calls.address().port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      for (const session of sessions) session.destroy();
      web.closeAllConnections();
      await Promise.all([web, calls].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

if (process.argv[1]?.endsWith("/answering_program.mjs")) {
  const [name, httpPort, http2Port] = process.argv.slice(2);
  await startAnswering(name, { httpPort: Number(httpPort), http2Port: Number(http2Port) });
  process.on("SIGTERM", () => process.exit());
}
