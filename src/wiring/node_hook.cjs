/**
 * Lets a Node program reach the cluster by sockets of its own: database drivers, gRPC, `http` without a proxy. Loaded ahead of the program
 * by `NODE_OPTIONS=--require FILE`; `HAWSER_HOOK_PORT` is the port of the front door, which knows what belongs to the cluster.
 *
 * - A connection to a host and a port: `PUT /port?host=HOST&port=PORT` answers with the port on 127.0.0.1 that leads there.
 * - A look-up of a name: `GET /address?host=NAME` answers with an address that stands for the name; a connection to it is asked about in turn.
 *
 * An empty answer, a front door that is gone, and any fault here mean: as it would be without this file. It is read by every Node that the
 * program starts, hence written in the language of Node 8, where it must do no harm; it is of use from 18 on. UDP is left alone.
 */
"use strict";

/** Milliseconds in which the front door answers, else the program goes its own way. */
const answerTime = 5000;
/** Milliseconds for which an answer holds, as another session may have others; and those for which "not the cluster's" does. */
const answerLife = 10000;
const refusalLife = 2000;
/**
 * What a look-up finds for what is the cluster's, of TEST-NET-1 (RFC 5737). Nothing connects to it; a Node to come that did would reach nothing, and
 * not a server of this machine on the port that was meant for the cluster's.
 */
const nowhere = "192.0.2.1";
/** How many answers are kept. */
const keptAnswers = 1000;
/** Characters that an answer may have, head and body. */
const answerLimit = 16384;

// as they are before a test's fake clock takes their place
const { setTimeout, clearTimeout } = global;
const { nextTick, uptime } = process;

const installed = Symbol.for("hawser.node_hook");

try {
  const port = Number(process.env.HAWSER_HOOK_PORT);
  // Deno and Bun know NODE_OPTIONS too, but have sockets of another make
  const isNode = !process.versions.deno && !process.versions.bun;
  if (isNode && port > 0 && port < 65536 && !global[installed]) {
    Object.defineProperty(global, installed, { value: true });
    install(port);
  }
} catch (_) {
  // the program runs as it would without
}

function install(frontDoor) {
  const net = require("net");
  const dns = require("dns");
  const connect = net.Socket.prototype.connect;
  const ask = asker(net, connect, frontDoor);
  const { lookup } = dns;
  const ours = imitating(lookup, hookedLookup(net, lookup, ask));
  dns.lookup = ours;
  const lookupOfOthers = () => dns.lookup === ours ? lookup : dns.lookup; // or the name is asked about twice
  net.Socket.prototype.connect = imitating(connect, hookedConnect(net, lookupOfOthers, connect, ask));
  if (dns.promises) {
    dns.promises.lookup = imitating(dns.promises.lookup, hookedPromisedLookup(net, dns.promises.lookup, ask));
  }
  const { syncBuiltinESMExports } = require("module");
  if (syncBuiltinESMExports) syncBuiltinESMExports(); // for `import { lookup } from "node:dns"`
}

/**
 * Node's `connect` with a look-up of ours: everything that goes on until a name is found (writes held back, `connecting`, time-outs,
 * `destroy`) stays Node's own. A look-up cannot answer with a port, so the socket's handle is told once it is known.
 */
function hookedConnect(net, lookupOfOthers, connect, ask) {
  return function () {
    let options, callback;
    try {
      const normalized = Array.isArray(arguments[0]) ? arguments[0] : net._normalizeArgs(Array.from(arguments));
      options = viaFrontDoor(this, normalized[0]);
      callback = normalized[1];
    } catch (_) {
      // Node says what is wrong with them
    }
    if (options === undefined) return connect.apply(this, arguments);
    return callback ? connect.call(this, options, callback) : connect.call(this, options);
  };

  /** The options by which Node asks us first; undefined where we have no part in it. */
  function viaFrontDoor(socket, options) {
    const { host, path, lookup } = options;
    const port = Number(options.port);
    const isTcp = !path && Number.isInteger(port) && port > 0 && port < 65536;
    if (!isTcp || !mayBeTheClusters(host) || (lookup !== undefined && typeof lookup !== "function")) return;
    const family = net.isIP(host);
    const resolve = family === 0
      ? lookup || late(lookupOfOthers())
      : (_host, wanted, done) => found(wanted, host, family, done);
    const changed = {
      lookup(name, wanted, done) {
        const handle = socket._handle;
        ask("PUT", `/port?host=${encodeURIComponent(host)}&port=${port}`, (answer, forget) => {
          if (socket._handle !== handle) return; // destroyed, or on its way to elsewhere
          if (!redirect(handle, Number(answer), forget)) return resolve(name, wanted, done);
          found(wanted, nowhere, 4, done);
        });
      },
    };
    if (family !== 0) changed.host = `[${host}]`; // Node looks no address up
    // Before 20, Node tried each address found by a handle of its own, even where there was but one
    if (family !== 0 || parseInt(process.versions.node) < 20) changed.autoSelectFamily = false;
    return Object.assign(Object.create(options), changed);
  }
}

/** Sends the next connection of a socket's handle to a port on 127.0.0.1; false where there is none, or the handle is of another make. */
function redirect(handle, port, forget) {
  if (!(port > 0 && port < 65536) || !handle || typeof handle.connect !== "function") return false;
  handle.connect = function (request) {
    delete handle.connect;
    request.address = "127.0.0.1"; // what an error names
    request.port = port;
    const { oncomplete } = request;
    request.oncomplete = function (status) {
      if (status < 0) forget(); // another session may have another port
      return oncomplete.apply(this, arguments);
    };
    return handle.connect(request, "127.0.0.1", port);
  };
  return true;
}

function hookedLookup(net, lookup, ask) {
  return function (host, options, callback) {
    const done = typeof options === "function" ? options : callback;
    const wanted = typeof options === "function" ? {} : options;
    if (typeof done !== "function" || !isName(net, host) || !takesIpv4(wanted)) return lookup.apply(this, arguments);
    ask("GET", `/address?host=${encodeURIComponent(host)}`, (address) => {
      if (net.isIPv4(address)) return found(wanted, address, 4, done);
      late(lookup)(host, wanted, done);
    });
    return {};
  };
}

function hookedPromisedLookup(net, lookup, ask) {
  return function (host, options) {
    if (!isName(net, host) || !takesIpv4(options)) return lookup.apply(this, arguments);
    return new Promise((resolve, reject) => {
      ask("GET", `/address?host=${encodeURIComponent(host)}`, (address) => {
        const one = { address, family: 4 };
        if (net.isIPv4(address)) return resolve(options && options.all ? [one] : one);
        try {
          resolve(lookup.apply(this, arguments));
        } catch (error) {
          reject(error);
        }
      });
    });
  };
}

/** A look-up that hands over what it would throw, about its options, since the program no longer waits for that. */
function late(lookup) {
  return (host, wanted, done) => {
    try {
      lookup(host, wanted, done);
    } catch (error) {
      done(error);
    }
  };
}

/** Answers a look-up in the form it was asked in. */
function found(wanted, address, family, done) {
  if (wanted && wanted.all) done(null, [{ address, family }]);
  else done(null, address, family);
}

/** Whether the options of a look-up, or the family alone, leave room for an IPv4 address. */
function takesIpv4(wanted) {
  const family = wanted && typeof wanted === "object" ? wanted.family : wanted;
  return !family || family === 4 || family === "IPv4";
}

function isName(net, host) {
  return mayBeTheClusters(host) && net.isIP(host) === 0;
}

/** Whether to ask: this machine's own is never the cluster's. */
function mayBeTheClusters(host) {
  return typeof host === "string" && host !== "" &&
    !/^(localhost|.*\.localhost|127\.[\d.]+|0\.0\.0\.0|::1?|::ffff:127\.[\d.]+)\.?$/i.test(host);
}

/**
 * `ask(method, path, done)` calls `done(answer, forget)`, never before it returns: with the front door's answer, empty where it has none, and
 * what makes it be asked anew. Speaks HTTP by itself, since `http` takes time to load and is what tracers and mocks change.
 */
function asker(net, connect, frontDoor) {
  /** By path: the answer, and until when it holds, in milliseconds of {@linkcode now}. */
  const answers = new Map();
  const now = () => uptime() * 1000;

  return function (method, path, done) {
    const forget = () => answers.delete(path);
    const known = answers.get(path);
    if (known !== undefined && known.until > now()) return nextTick(done, known.answer, forget);
    request(method, path, (answer) => {
      if (answers.size >= keptAnswers) answers.clear();
      answers.set(path, { answer, until: now() + (answer === "" ? refusalLife : answerLife) });
      done(answer, forget);
    });
  };

  function request(method, path, done) {
    const socket = new net.Socket();
    let text = "";
    let over = false;
    const finish = () => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      socket.destroy();
      const response = /^HTTP\/1\.[01] 200 [^]*?\r\n\r\n([^]*)$/.exec(text);
      done(response && text.length <= answerLimit ? response[1].trim() : "");
    };
    const timer = setTimeout(finish, answerTime);
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      text += chunk;
      if (text.length > answerLimit) finish();
    });
    socket.on("end", finish).on("error", finish).on("close", finish);
    const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${frontDoor}\r\nContent-Length: 0\r\n`;
    connect.call(socket, { host: "127.0.0.1", port: frontDoor });
    socket.write(`${head}Connection: close\r\n\r\n`);
  }
}

/** `hooked` with all that `original` carries: its name, its length, and how `util.promisify` is to treat it. */
function imitating(original, hooked) {
  return Object.defineProperties(hooked, Object.getOwnPropertyDescriptors(original));
}
