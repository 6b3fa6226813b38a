import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { nodeVariables } from "../../src/wiring/node_variables.ts";
import { CertificateAuthority } from "../practice/certificate_authority.ts";
import { type EchoServer, openEchoServer } from "./echo_server.ts";
import { type FakeCluster, type FakeFrontDoor, openFakeFrontDoor } from "./fake_front_door.ts";

const file = fileURLToPath(new URL("../../src/wiring/node_hook.cjs", import.meta.url));

async function hasNode(): Promise<boolean> {
  try {
    return (await new Deno.Command("node", { args: ["--version"], stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

/** Runs Node with the arguments, by itself where there is no front door, and gives the lines that it wrote. Fails where it did, or took 15 s. */
async function node(
  args: readonly string[],
  frontDoor: Pick<FakeFrontDoor, "port"> | undefined,
  own: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const { NODE_OPTIONS: _, ...env } = Deno.env.toObject();
  const output = await new Deno.Command("node", {
    args: ["--no-warnings", ...args], // that fetch is new in 18
    env: { ...env, ...frontDoor && nodeVariables({ port: frontDoor.port, file }, own, Deno.build.os) },
    clearEnv: true,
    signal: AbortSignal.timeout(15_000),
  }).output();
  assertEquals(new TextDecoder().decode(output.stderr), "");
  assert(output.success, `node ended with ${output.code}`);
  return new TextDecoder().decode(output.stdout).trimEnd().split("\n");
}

/** Runs a script with `net` and, by itself, with what it needs more. */
function script(source: string, frontDoor: Pick<FakeFrontDoor, "port"> | undefined): Promise<string[]> {
  return node(["-e", `const net = require("net");\n${source}`], frontDoor);
}

/** A front door to which db:5432 and two pods' addresses are an echo server. */
async function withEcho(
  action: (scene: { readonly frontDoor: FakeFrontDoor; readonly echo: EchoServer }) => Promise<void>,
  more: FakeCluster = {},
): Promise<void> {
  await using echo = openEchoServer();
  const ports = { "db:5432": echo.port, "10.42.0.7:5432": echo.port, "fd00::7:5432": echo.port };
  await using frontDoor = openFakeFrontDoor({ ports: { ...ports, "198.18.0.5:5432": echo.port }, ...more });
  await action({ frontDoor, echo });
}

describe("the Node hook", { ignore: !await hasNode() }, () => { // where PATH has no Node, there is nothing to hook
  it("leads a connection to a name, in whichever form it is asked for", () =>
    withEcho(async ({ frontDoor }) => {
      const lines = await script(
        `
        const callback = () => console.log("called");
        const forms = [
          () => net.connect(5432, "db"),
          () => net.connect("5432", "db", callback),
          () => net.createConnection({ port: 5432, host: "db" }),
          () => net.createConnection({ port: 5432, host: "db", autoSelectFamily: true, family: 0 }, callback),
          () => new net.Socket().connect({ port: "5432", host: "db", lookup: () => console.log("no need") }, callback),
        ];
        (function next() {
          const socket = forms.shift()?.();
          socket?.on("data", (data) => console.log(String(data))).on("close", next).end("x");
        })();`,
        frontDoor,
      );
      assertEquals(lines, ["x", "called", "x", "x", "called", "x", "called", "x"]);
    }));

  it("leads a connection to an address of a pod, and leaves addresses that are none of the cluster's", () =>
    withEcho(async ({ frontDoor }) => {
      const lines = await script(
        `
        for (const host of ["10.42.0.7", "fd00::7"]) {
          net.connect(5432, host).on("data", (data) => console.log(String(data))).end("x");
        }
        const other = net.connect(1, "192.0.2.1").on("error", () => {}).on("close", () => console.log("left"));
        other.setTimeout(500, () => other.destroy());`,
        frontDoor,
      );
      assertEquals(lines.sort(), ["left", "x", "x"]);
      assert(frontDoor.asked.includes("PUT /port?host=192.0.2.1&port=1"));
    }));

  it("keeps what is written before there is a connection, and the order of events", () =>
    withEcho(async ({ frontDoor }) => {
      const lines = await script(
        `
        const socket = new net.Socket();
        for (const event of ["lookup", "connect", "ready", "end", "close"]) {
          socket.on(event, () => console.log(event, socket.connecting));
        }
        socket.setEncoding("utf8").on("data", (text) => console.log(text));
        socket.connect(5432, "db");
        console.log(socket.connecting, socket.pending, socket.readyState, socket.write("one "));
        socket.end("two");`,
        frontDoor,
      );
      assertEquals(lines.slice(0, 4), [
        "true true opening true",
        "lookup true",
        "connect false",
        "ready false",
      ]);
      assertEquals([lines.slice(4, -2).join(""), ...lines.slice(-2)], ["one two", "end false", "close false"]);
    }));

  it("verifies a certificate against the name that the program asked for", async () => {
    const authority = await CertificateAuthority.create("test");
    const { certificate: cert, key } = await authority.issue({ commonName: "db", names: ["db.shop"] });
    const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
    await using frontDoor = openFakeFrontDoor({ ports: { "db.shop:443": listener.addr.port } });
    const served = (async () => {
      const connection = await listener.accept();
      await connection.write(new TextEncoder().encode("welcome"));
      await connection.closeWrite();
      connection.close();
    })();
    const lines = await script(
      `
      const ca = ${JSON.stringify(authority.certificate)};
      const socket = require("tls").connect({ host: "db.shop", port: 443, ca, servername: "db.shop" }, () => {
        console.log(socket.authorized, socket.servername);
      });
      socket.on("data", (data) => console.log(String(data)));`,
      frontDoor,
    );
    await served;
    listener.close();
    assertEquals(lines, ["true db.shop", "welcome"]);
  });

  it("lets a socket be destroyed, and connected elsewhere, while the front door is asked", async () => {
    const answering = Promise.withResolvers<void>();
    await withEcho(async ({ frontDoor, echo }) => {
      const lines = script(
        `
        const gone = net.connect(5432, "db").on("connect", () => console.log("never")).on("close", () => console.log("closed"));
        gone.destroy();
        const aborted = new AbortController();
        net.connect({ port: 5432, host: "db", signal: aborted.signal }).on("error", (error) => console.log(error.name));
        aborted.abort();
        const late = net.connect({ port: 5432, host: "db", timeout: 50 });
        late.on("timeout", () => late.destroy()).once("close", () => {
          console.log("late");
          late.connect(${echo.port}, "127.0.0.1", () => {
            console.log("elsewhere", late.remotePort === ${echo.port});
            late.destroy();
            require("http").get({ host: "127.0.0.1", port: ${frontDoor.port}, path: "/release" }).on("error", () => {});
          });
        });`,
        frontDoor,
      );
      await lines.finally(answering.resolve);
      assertEquals((await lines).sort(), ["AbortError", "closed", "elsewhere true", "late"]);
      assertEquals(echo.connections, 1);
    }, { before: (path) => path === "/release" ? Promise.resolve(answering.resolve()) : answering.promise });
  });

  it("fails as Node does without it", () =>
    withEcho(async ({ frontDoor }) => {
      const source = `
        const dns = require("dns");
        const show = (name) => (error) => console.log(name, error.code, error.syscall, error.hostname, error.message);
        const tried = (name, connect) => { try { connect().on("error", show(name)); } catch (error) { show(name)(error); } };
        tried("port", () => net.connect(70000, "db"));
        tried("nothing", () => net.connect({ host: "db" }));
        tried("name", () => net.connect(5432, "db.invalid"));
        tried("pipe", () => net.connect({ path: "/no/such/pipe", host: "db", port: 5432 }));
        tried("lookup", () => net.connect({ host: "db", port: 5432, lookup: 5 }));
        tried("loopback", () => net.connect(1, "127.0.0.1"));
        dns.lookup("db.invalid", show("dns"));
        dns.promises.lookup("db.invalid", { all: true }).catch(show("promise"));
        for (const options of [{ family: 7 }, { hints: 3 }]) {
          try { dns.lookup("db.invalid", options, show("options")); } catch (error) { show("options")(error); }
          (async () => dns.promises.lookup("db.invalid", options))().catch(show("promise"));
          tried("options", () => net.connect({ host: "db.invalid", port: 1, ...options }));
        }
        try { dns.lookup("db.invalid"); } catch (error) { show("callback")(error); }`;
      const without = await script(source, undefined);
      assertEquals((await script(source, frontDoor)).sort(), without.sort());
      assertEquals(without.length, 15);
    }));

  it("never asks about this machine", () =>
    withEcho(async ({ frontDoor, echo }) => {
      const hosts = ["127.0.0.1", "localhost", "0.0.0.0", "127.1.2.3", "::1", "::ffff:127.0.0.1", "x.localhost"];
      await script(
        `for (const host of ${JSON.stringify(hosts)}) net.connect(${echo.port}, host).on("error", () => {}).end();
        net.connect(${echo.port}).end();
        require("dns").lookup("localhost", () => {});`,
        frontDoor,
      );
      assertEquals(frontDoor.asked, []);
    }));

  it("goes its own way at once where the front door is gone, and after 5 s where it is silent", async () => {
    const answering = Promise.withResolvers<void>();
    await withEcho(async ({ frontDoor, echo }) => {
      const source = `
        const start = Date.now();
        const lookup = (host, options, done) => options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
        net.connect({ host: "db", port: ${echo.port}, lookup }, function () {
          console.log(Math.round((Date.now() - start) / 2500));
          this.destroy();
        });`;
      assertEquals(await script(source, { port: 1 }), ["0"]);
      assertEquals(await script(source, frontDoor).finally(answering.resolve), ["2"]);
    }, { before: () => answering.promise });
  });

  it("asks once for each destination, and anew where its port has gone", async () => {
    await using echo = openEchoServer();
    const gone = openEchoServer();
    const ports = { "db:5432": gone.port };
    await gone[Symbol.asyncDispose]();
    await using frontDoor = openFakeFrontDoor({
      ports,
      before: () => Promise.resolve(void (frontDoor.asked.length > 1 && (ports["db:5432"] = echo.port))),
    });
    const lines = await script(
      `
      let count = 0;
      (function next() {
        if (count++ === 4) return;
        net.connect(5432, "db").on("error", (error) => console.log(error.code, error.port)).on("close", next)
          .on("connect", () => console.log("connected")).end();
      })();`,
      frontDoor,
    );
    assertEquals(lines, [`ECONNREFUSED ${gone.port}`, "connected", "connected", "connected"]);
    assertEquals(frontDoor.asked, ["PUT /port?host=db&port=5432", "PUT /port?host=db&port=5432"]);
  });

  it("asks anew after 10 s, when it may be another session's", () =>
    withEcho(async ({ frontDoor }) => {
      const clock = await Deno.makeTempFile({ suffix: ".cjs" });
      try {
        await Deno.writeTextFile(
          clock,
          "const { uptime } = process; let later = 0; process.uptime = () => uptime() + later; global.wait = (seconds) => later += seconds;",
        );
        const source = `
          const lookup = (then) => require("dns").lookup("db", (_, address) => require("net").connect(5432, address).on("close", then).end());
          lookup(() => lookup(() => {
            wait(10);
            lookup(() => {});
          }));`;
        await node(["-e", source], frontDoor, { NODE_OPTIONS: `--require ${JSON.stringify(clock)}` });
        const once = ["GET /address?host=db", "PUT /port?host=198.18.0.5&port=5432"];
        assertEquals(frontDoor.asked, [...once, ...once]);
      } finally {
        await Deno.remove(clock);
      }
    }, { addresses: { db: "198.18.0.5" } }));

  it("finds the address that stands for a name, for programs that look it up first", () =>
    withEcho(async ({ frontDoor }) => {
      const lines = await node([
        "--input-type=module",
        "-e",
        `
        import dns, { lookup } from "node:dns";
        import { lookup as promised } from "node:dns/promises";
        import { promisify } from "node:util";
        import { connect } from "node:net";
        const show = (value) => console.log(JSON.stringify(value));
        show([await promised("db"), await dns.promises.lookup("db", { all: true, family: 4 }), await promisify(lookup)("db")]);
        lookup("db", { all: true }, (_, all) => show(all));
        lookup("db", 4, (_, address) => connect(5432, address).on("data", (data) => console.log(String(data))).end("x"));`,
      ], frontDoor);
      const one = { address: "198.18.0.5", family: 4 };
      assertEquals(lines, [JSON.stringify([one, [one], one]), JSON.stringify([one]), "x"]);
    }, { addresses: { db: "198.18.0.5" } }));

  it("serves http and fetch", async () => {
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => new Response(request.headers.get("host")),
    );
    await using frontDoor = openFakeFrontDoor({
      ports: { "web:80": server.addr.port, "10.42.0.8:81": server.addr.port },
    });
    const lines = await script(
      `
      require("http").get("http://web/", (response) => response.on("data", async (data) => {
        console.log(String(data));
        console.log(await (await fetch("http://web/")).text());
        console.log(await (await fetch("http://10.42.0.8:81/")).text());
        process.exit();
      }));`,
      frontDoor,
    );
    assertEquals(lines, ["web", "web", "10.42.0.8:81"]);
  });

  it("is in worker threads and child processes", () =>
    withEcho(async ({ frontDoor }) => {
      const lines = await script(
        `
        const { SHARE_ENV, Worker } = require("worker_threads");
        const connect = \`require("net").connect(5432, "db").on("data", (data) => console.log(String(data))).end("NAME")\`;
        new Worker(connect.replace("NAME", "worker"), { eval: true });
        new Worker(connect.replace("NAME", "sharing"), { eval: true, execArgv: [], env: SHARE_ENV });
        require("child_process").spawn(process.execPath, ["-e", connect.replace("NAME", "child")], { stdio: "inherit" });`,
        frontDoor,
      );
      assertEquals(lines.sort(), ["child", "sharing", "worker"]);
    }));
});
