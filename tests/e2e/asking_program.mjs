/**
 * Asks services from inside the cluster as a test tells it: `node asking_program.mjs PORT` takes orders, `POST /` with `{ "do": …, … }`, and answers in JSON. No
 * request has more than 10 s, or the milliseconds of `patience`.
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import http from "node:http";
import http2 from "node:http2";
import { performance } from "node:perf_hooks";
import process from "node:process";

const timeout = 10_000;

function request({ host, port = 80, localPort, headers = {}, agent = false, patience = timeout }) {
  return new Promise((resolve, reject) => {
    const asked = http.get({ host, port, localPort, headers, agent, timeout: patience }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (text) => body += text).on("error", reject);
      answer.on("end", () => resolve({ status: answer.statusCode, body }));
    });
    let state = "before its name was looked up";
    asked.on("socket", (socket) => {
      if (asked.reusedSocket) state = "on a connection that was kept";
      socket.once("lookup", (_error, address) => state = `before it was connected to ${address}`);
      socket.once("connect", () => state = "on a new connection");
    });
    asked.on("error", reject).on("timeout", () => asked.destroy(new Error(`timeout ${state}`)));
  });
}

/** How often {@linkcode orders.ask} was called. */
let asked = Math.floor(Math.random() * 20_000);

/** Loads that go on, by their names. */
const loads = new Map();

const orders = {
  /**
   * One request on a connection of its own, from a port that no load gets: where the node does not know the Service yet, it goes on for two minutes to send
   * nowhere what comes from there.
   */
  ask: (order) => request({ ...order, localPort: 10_000 + asked++ % 20_000 }),

  /** Several requests, one after another, on one connection: what was answered, and from how many local ports it was asked. */
  async askOnOneConnection({ host, marks }) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set();
    agent.on("free", (socket) => ports.add(socket.localPort));
    const bodies = [];
    for (const mark of marks) {
      bodies.push((await request({ host, agent, headers: mark === null ? {} : { version: mark } })).body);
    }
    agent.destroy();
    return { bodies, connections: ports.size };
  },

  /** Asks all the time, over kept connections and over new ones, until `stopLoad`. */
  load({ name, host }) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
    const load = { going: true, answered: 0, by: {}, failed: [] };
    const began = performance.now();
    const client = async (agent) => {
      while (load.going) {
        try {
          const { status, body } = await request({ host, agent });
          if (status === 200) load.answered++;
          else load.failed.push(`HTTP ${status} ${body}`);
          load.by[body] = (load.by[body] ?? 0) + 1;
        } catch (error) {
          load.failed.push(`${error.message}, after ${Math.round(performance.now() - began)} ms of load`);
        }
        await new Promise((resolve) => setTimeout(resolve, 5)); // others work on this machine, too
      }
    };
    load.done = Promise.all([client(agent), client(agent), client(false), client(false)]).then(() => agent.destroy());
    loads.set(name, load);
    return {};
  },

  async stopLoad({ name }) {
    const { done, ...load } = Object.assign(loads.get(name), { going: false });
    await done;
    return load;
  },

  /** A WebSocket: each message is sent when the one before was answered. */
  websocket({ host, headers = {}, messages }) {
    return new Promise((resolve, reject) => {
      const upgrade = {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": 13,
        "sec-websocket-key": randomBytes(16).toString("base64"),
      };
      const asked = http.get({ host, headers: { ...headers, ...upgrade }, timeout });
      asked.on("error", reject).on("timeout", () => asked.destroy(new Error("timeout")));
      asked.on("response", ({ statusCode }) => reject(new Error(`HTTP ${statusCode}`)));
      asked.on("upgrade", (_answer, socket) => {
        const replies = [];
        const next = () => {
          const message = messages[replies.length];
          if (message === undefined) {
            socket.end(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
            return resolve(replies);
          }
          socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | message.length, 0, 0, 0, 0]), Buffer.from(message)]));
        };
        socket.on("error", reject).on("data", (frame) => {
          if ((frame[0] & 15) !== 1) return;
          replies.push(frame.subarray(2).toString());
          next();
        });
        next();
      });
    });
  },

  /** A call as gRPC makes it, on an HTTP/2 connection of its own: each message is sent when the one before was answered. */
  call({ host, port, headers = {}, messages }) {
    return new Promise((resolve, reject) => {
      const session = http2.connect(`http://${host}:${port}`);
      session.on("error", reject);
      const stream = session.request({ ":method": "POST", ":path": "/", te: "trailers", ...headers });
      const replies = [];
      let trailers = {};
      stream.setTimeout(timeout, () => stream.destroy(new Error("timeout")));
      stream.on("error", reject).on("trailers", (fields) => trailers = fields);
      stream.on("data", (reply) => {
        replies.push(reply.toString());
        const next = messages[replies.length];
        if (next === undefined) stream.end();
        else stream.write(next);
      });
      stream.on("end", () => {
        session.close();
        resolve({ replies, status: trailers["grpc-status"], count: trailers["x-messages"] });
      });
      stream.write(messages[0]);
    });
  },
};

const server = http.createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  try {
    const order = JSON.parse(body);
    response.end(JSON.stringify(await orders[order.do](order)));
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error?.message ?? error));
  }
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[2]));
