/**
 * Gives a program in Node, or one that uses Deno's `node:` modules, the network of its pod: loaded before it (`--require`), in a process of its own. Where it
 * listens, the practice cluster says which real socket stands for that (`pod_gate.ts`); where it connects, which one is meant: names, ClusterIPs that balance,
 * pods' addresses, the pod's own localhost. So the program needs to know nothing of all this. Only TCP; UDP goes out as it is.
 */
"use strict";
const dns = require("node:dns");
const net = require("node:net");
const process = require("node:process");

const { connect } = net.Socket.prototype;
const { listen } = net.Server.prototype;
const [gatePort, token] = process.env.PRACTICE_GATE.split(" ");
delete process.env.PRACTICE_GATE;

const waiting = new Map();
let count = 0;
const gate = connect.call(new net.Socket(), { host: "127.0.0.1", port: Number(gatePort) });
gate.setNoDelay(true);
gate.write(token + "\n");
gate.on("error", () => {});
gate.on("close", () => process.exit(137)); // the node is gone: leave nothing behind
gate.setEncoding("utf8");
let rest = "";
gate.on("data", (text) => {
  const lines = (rest + text).split("\n");
  rest = lines.pop();
  for (const line of lines) {
    if (line === "terminate") {
      terminate();
      continue;
    }
    const { id, code, syscall, ...answer } = JSON.parse(line);
    const { resolve, reject, subject } = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) gate.unref();
    if (!code) resolve(answer);
    else {
      const hostname = syscall === "getaddrinfo" ? { hostname: subject } : {};
      reject(Object.assign(new Error(`${syscall} ${code} ${subject}`), { code, syscall, ...hostname }));
    }
  }
});
gate.unref();

/** Windows has no SIGTERM between processes, and Deno forgets who listens for it: the gate's word stands for it, to the same listeners. */
const onTerminate = [];
if (process.platform === "win32") {
  const { on } = process;
  process.on = process.addListener = function (name, listener) {
    if (name !== "SIGTERM") return on.call(this, name, listener);
    onTerminate.push(listener);
    return this;
  };
}

function terminate() {
  if (onTerminate.length === 0) process.exit(143);
  for (const listener of onTerminate) listener("SIGTERM");
}

function ask(question, subject) {
  return new Promise((resolve, reject) => {
    const id = ++count;
    waiting.set(id, { resolve, reject, subject });
    gate.ref();
    gate.write(JSON.stringify({ id, ...question }) + "\n");
  });
}

/** The arguments of `connect` and `listen`: options and callback; no options for what is not TCP. */
function normalized(args) {
  if (Array.isArray(args[0])) return normalized([args[0][0], args[0][1]]);
  const callback = args.findLast((arg) => typeof arg === "function");
  if (typeof args[0] === "object" && args[0] !== null) {
    const { path, fd, port } = args[0];
    return [path || fd !== undefined || port === undefined ? undefined : args[0], callback];
  }
  if (!/^\d+$/.test(String(args[0] ?? 0))) return [undefined, callback];
  return [{ port: args[0] ?? 0, host: typeof args[1] === "string" ? args[1] : undefined }, callback];
}

net.Socket.prototype.connect = function (...args) {
  const [options, callback] = normalized(args);
  if (!options) return connect.apply(this, args);
  const { host = "localhost", port } = options;
  if (callback) this.once("connect", callback);
  const again = this.destroyed;
  this.connecting = true; // what is written meanwhile waits
  ask({ ask: "route", host, port: Number(port) }, `${host}:${port}`).then(
    (real) => this.destroyed && !again || connect.call(this, { ...options, ...real }),
    (error) => this.destroy(error),
  );
  return this;
};

net.Server.prototype.listen = function (...args) {
  const [options, callback] = normalized(args);
  if (!options) return listen.apply(this, args);
  const { host, port } = options;
  if (callback) this.once("listening", callback);
  ask({ ask: "listen", host, port: Number(port) }, `${host ?? "::"}:${port}`).then(
    (real) => listen.call(this, { ...options, ...real, ipv6Only: false }),
    (error) => this.emit("error", error),
  );
  return this;
};

async function lookup(host, options) {
  if (net.isIP(host)) return { address: host, family: net.isIP(host) };
  const { addresses } = await ask({ ask: "lookup", host }, host);
  const all = addresses.map((address) => ({ address, family: net.isIP(address) }));
  return options?.all ? all : all[0];
}

async function resolve4(host) {
  const { addresses } = await ask({ ask: "lookup", host }, host);
  return addresses.filter((address) => net.isIPv4(address));
}

dns.promises.lookup = lookup;
dns.promises.resolve4 = resolve4;
dns.lookup = (host, ...more) => {
  const callback = more.pop();
  const options = typeof more[0] === "object" ? more[0] : {};
  lookup(host, options).then(
    (found) => options.all ? callback(null, found) : callback(null, found.address, found.family),
    callback,
  );
};
dns.resolve4 = (host, ...more) => {
  const callback = more.pop();
  resolve4(host).then((found) => callback(null, found), callback);
};
require("node:module").syncBuiltinESMExports?.();
