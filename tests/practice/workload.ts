import http from "node:http";
import type { Socket } from "node:net";
import type { Container, PodConnection, Program } from "./program.ts";

/**
 * The stock program, image `practice/workload`. HTTP on every declared port named `http…` (8080 if none is declared), raw TCP on every other
 * (7000). Variables: `NAME` to answer with; `PRACTICE_LISTEN` `localhost` or `pod` to listen on one of the pod's addresses only.
 *
 * HTTP: `/` says as JSON who answered and what was asked; `/bytes/N` N bytes; `POST /sink` counts what it gets; `/slow/MS` answers after MS
 * milliseconds; `/events` one server-sent event each 100 ms; `/status/N` status N.
 *
 * TCP: the first line chooses: `echo`, `sink` (counts until the end, then says how much), `source N` (sends N bytes and ends), `close`,
 * `reset`, `stall` (reads nothing more), `hello` (says who it is). Anything else is echoed, with that line.
 */
export const workload: Program = run;

async function run(container: Container): Promise<() => Promise<void>> {
  const on = container.env.PRACTICE_LISTEN;
  const where = on === "localhost" || on === "pod" ? on : "all";
  const tcp = container.ports.filter((port) => port.protocol === "TCP");
  const isHttp = (port: { readonly name: string }) => port.name.startsWith("http");
  const httpPorts = tcp.length ? tcp.filter(isHttp).map(({ port }) => port) : [8080];
  const tcpPorts = tcp.length ? tcp.filter((port) => !isHttp(port)).map(({ port }) => port) : [7000];
  const stops: (() => Promise<void>)[] = [];
  for (const port of httpPorts) stops.push(await serveHttp(container, await container.reserve(port, where)));
  for (const port of tcpPorts) {
    await container.listen(port, (connection) => void serveTcp(container, connection), where);
  }
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}

const block = crypto.getRandomValues(new Uint8Array(64 << 10));

async function serveHttp(container: Container, port: number): Promise<() => Promise<void>> {
  let served = 0;
  const name = container.env.NAME ?? "";
  const server = http.createServer(async (request, response) => {
    const number = Number(request.url!.split("/")[2]);
    const at = request.url!.split(/[/?]/)[1];
    switch (at) {
      case "bytes":
        response.setHeader("Content-Length", number);
        for (let left = number; left > 0 && !response.destroyed; left -= block.length) {
          if (!response.write(block.subarray(0, Math.min(left, block.length)))) await drained(response);
        }
        return response.end();
      case "sink": {
        let count = 0;
        for await (const chunk of request) count += chunk.length;
        return response.end(`${count}\n`);
      }
      case "slow": {
        const timer = setTimeout(() => response.end(`${name} ${container.pod.name}\n`), number);
        return response.on("close", () => clearTimeout(timer));
      }
      case "events": {
        response.setHeader("Content-Type", "text/event-stream");
        let count = 0;
        const say = () => response.write(`data: ${name} ${count++}\n\n`);
        say();
        const timer = setInterval(say, 100);
        return response.on("close", () => clearInterval(timer));
      }
      case "status":
        return response.writeHead(Math.min(Math.max(number, 200), 599)).end();
      default: {
        let body = "";
        for await (const chunk of request) body += chunk;
        const { method, url: path, headers } = request;
        const answer = {
          name,
          pod: container.pod.name,
          ip: container.pod.ip,
          request: ++served,
          method,
          path,
          host: headers.host,
          headers,
          body,
        };
        return response.setHeader("Content-Type", "application/json").end(JSON.stringify(answer) + "\n");
      }
    }
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {}); // the client's affair
  });
  server.on("upgrade", (request, socket) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`,
    );
    socket.pipe(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, container.address, resolve);
  });
  return async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  };
}

function drained(response: http.ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once("drain", resolve);
    response.once("close", resolve);
  });
}

/** Never rejects: a connection that breaks is its client's affair. */
async function serveTcp(container: Container, connection: PodConnection): Promise<void> {
  try {
    const { line, rest } = await firstLine(connection);
    const [word = "", number = ""] = new TextDecoder().decode(line).trim().split(" ");
    switch (word) {
      case "close":
        return connection.close();
      case "reset":
        return connection.reset();
      case "stall":
        return;
      case "hello":
        await connection.write(`${container.env.NAME ?? ""} ${container.pod.name}\n`);
        return connection.close();
      case "source":
        for (let left = Number(number); left > 0; left -= block.length) {
          await connection.write(block.subarray(0, Math.min(left, block.length)));
        }
        return connection.close();
      case "sink": {
        let count = rest.length;
        for (let data; (data = await connection.read());) count += data.length;
        await connection.write(`${count}\n`);
        return connection.close();
      }
      case "echo":
        await connection.write(rest);
        break;
      default:
        await connection.write(line);
        await connection.write(rest);
    }
    for (let data; (data = await connection.read());) await connection.write(data);
    connection.close();
  } catch {
    connection.close();
  }
}

/** Everything up to the first line feed or 64 bytes, and what came behind it. */
async function firstLine(connection: PodConnection): Promise<{ line: Uint8Array; rest: Uint8Array }> {
  let bytes = new Uint8Array();
  for (;;) {
    const end = bytes.indexOf(10) + 1 || (bytes.length >= 64 ? 64 : 0);
    if (end > 0) return { line: bytes.subarray(0, end), rest: bytes.subarray(end) };
    const data = await connection.read();
    if (!data) return { line: bytes, rest: new Uint8Array() };
    bytes = Uint8Array.of(...bytes, ...data);
  }
}
