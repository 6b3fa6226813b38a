// Runs in a pod: answers HTTP on 8080 and HTTPS on 8443 with who it is, and WebSockets (RFC 6455) on both with the same and what it was told.
const { createHash } = require("node:crypto");
const http = require("node:http");
const https = require("node:https");
const { hostname } = require("node:os");

const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const who = { name: "secure", pod: hostname() };

function answer({ headers: { host } }, response) {
  response.end(`${JSON.stringify({ ...who, host })}\n`);
}

function upgrade({ headers }, socket) {
  const accept = createHash("sha1").update(headers["sec-websocket-key"] + magic).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let seen = Buffer.alloc(0);
  socket.on("error", () => {}).on("data", (data) => {
    seen = Buffer.concat([seen, data]);
    // Clients' frames are masked, and these short: two bytes of head, four of mask.
    while (seen.length >= 6 && seen.length >= 6 + (seen[1] & 0x7f)) {
      const [kind, end, mask] = [seen[0] & 15, 6 + (seen[1] & 0x7f), seen.subarray(2, 6)];
      const told = seen.subarray(6, end).map((byte, at) => byte ^ mask[at % 4]);
      seen = seen.subarray(end);
      if (kind === 8) return socket.end(Buffer.from([0x88, 0]));
      // Names are short enough for a length of one byte, up to 125.
      const text = JSON.stringify({ ...who, host: headers.host, told: told.toString() });
      socket.write(Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]));
    }
  });
}

const tls = { key: process.env.TLS_KEY, cert: process.env.TLS_CERTIFICATE };
http.createServer(answer).on("upgrade", upgrade).listen(8080);
https.createServer(tls, answer).on("upgrade", upgrade).listen(8443);
