import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { checkJavaAgent } from "../../scripts/build_java_agent.ts";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { javaVariables } from "../../src/wiring/java_variables.ts";
import { openEchoServer } from "./echo_server.ts";
import { type FakeCluster, type FakeFrontDoor, openFakeFrontDoor } from "./fake_front_door.ts";
import { installedJdks, type Jdk } from "./installed_jdks.ts";

const file = fileURLToPath(new URL("../../src/wiring/java_agent/hawser-agent.jar", import.meta.url));
const sources = ["Client.java", "DefaultHostsFileEntriesResolver.java"].map((name) =>
  fileURLToPath(new URL(`java_client/${name}`, import.meta.url))
);
/** Has the JVM check our instructions also in its own classes, which it trusts otherwise. */
const verified = [
  "-XX:+UnlockDiagnosticVMOptions",
  "-XX:+BytecodeVerificationLocal",
  "-XX:+BytecodeVerificationRemote",
];

const jdks = await installedJdks();
const [anyJdk] = jdks;

/** Where the compiled client is. */
let classes: string;

/** Runs the client's tasks in a JVM, with the agent where there is a port for it, and gives what came of each, by task. Fails where the JVM did, or says anything on stderr but what it always says. */
async function run({ java }: Jdk, tasks: readonly string[], port?: number | string): Promise<Record<string, string>> {
  const { JAVA_TOOL_OPTIONS: _, ...env } = Deno.env.toObject();
  const wired = port === undefined ? {} : javaVariables({ port: Number(port), file }, {}, Deno.build.os);
  const output = await new Deno.Command(java, {
    args: [...verified, "-cp", classes, "Client", ...tasks],
    env: { ...env, ...wired },
    clearEnv: true,
    signal: AbortSignal.timeout(20_000),
  }).output();
  const stderr = new TextDecoder().decode(output.stderr).split("\n");
  assertEquals(stderr.filter((line) => line !== "" && !line.startsWith("Picked up")), []);
  assert(output.success, `java ended with ${output.code}`);
  const lines = new TextDecoder().decode(output.stdout).trimEnd().split(/\r?\n/);
  return Object.fromEntries(lines.map((line) => [line.split(" ")[0], line.slice(line.indexOf(" ") + 1)]));
}

/** A front door to which every destination in the cluster is an echo server, or on port 80 an HTTP server. */
async function withCluster(
  action: (frontDoor: FakeFrontDoor) => Promise<void>,
  more: FakeCluster = {},
): Promise<void> {
  await using echo = openEchoServer();
  await using http = openHttpServer();
  const hosts = ["198.18.0.5", "10.42.0.7", "fd00:0:0:0:0:0:0:7"];
  const ports = Object.fromEntries(
    hosts.flatMap((host) => [[`${host}:5432`, echo.port], [`${host}:80`, http.port]]),
  );
  await using frontDoor = openFakeFrontDoor({ addresses: { "db.shop": "198.18.0.5" }, ports, ...more });
  await action(frontDoor);
}

/** An HTTP server that says hello. Deno's own refuses Java's clients, which offer to upgrade to HTTP/2. */
function openHttpServer(): AsyncDisposable & { readonly port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answer = new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4096));
      await connection.write(answer);
      connection.close();
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

/** A port whose queue is full: whoever connects hears nothing. */
async function openSilentPort(): Promise<Disposable & { readonly port: number }> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const queue: Duplex[] = [];
  try {
    for (;;) queue.push(await connectTcp("127.0.0.1", port, AbortSignal.timeout(200)));
  } catch {
    // now it is full
  }
  return {
    port,
    [Symbol.dispose]() {
      listener.close();
      for (const stream of queue) stream.close();
    },
  };
}

describe("the Java agent's jar", () => {
  it("is made of its sources", async () => {
    await checkJavaAgent();
  });
});

// Without a JDK there is nothing to start.
describe("the Java agent", { ignore: anyJdk === undefined }, () => {
  beforeAll(async () => {
    classes = await Deno.makeTempDir();
    const { javac, version } = anyJdk!;
    const release = version === 8 ? [] : ["--release", "8"];
    const { success, stderr } = await new Deno.Command(javac, {
      args: ["-nowarn", "-g", ...release, "-d", classes, ...sources],
    }).output();
    assert(success, new TextDecoder().decode(stderr));
  });

  afterAll(() => Deno.remove(classes, { recursive: true }));

  for (const jdk of jdks) {
    it(`leads each kind of connection of Java ${jdk.version} to the cluster, by name and by address`, () =>
      withCluster(async ({ port }) => {
        const expected: Record<string, string> = {
          "resolve=db.shop:0": "[db.shop/198.18.0.5]",
          "resolve=DB.Shop:0": "[DB.Shop/198.18.0.5]",
          "peer=db.shop:5432": "db.shop",
          "url=db.shop:80": "hello",
          "url=10.42.0.7:80": "hello",
          "library=db.shop:2": "db.shop/198.18.0.5 [db.shop/198.18.0.5]",
          "cleared=db.shop:5432": "hello",
        };
        for (const host of ["db.shop", "10.42.0.7", "fd00:0:0:0:0:0:0:7"]) {
          for (const way of ["socket", "resolvedSocket", "channel", "asynchronous"]) {
            expected[`${way}=${host}:5432`] = "hello";
          }
        }
        if (jdk.version >= 11) expected["client=db.shop:80"] = expected["client=10.42.0.7:80"] = "hello";
        assertEquals(await run(jdk, Object.keys(expected), port), expected);
      }));

    it(`leaves to Java ${jdk.version} what is none of the cluster's`, () =>
      withCluster(async (frontDoor) => {
        await using echo = openEchoServer();
        const local = ["localhost", "127.0.0.1", "0:0:0:0:0:0:0:1", "0.0.0.0"].flatMap((
          host,
        ) => [`socket=${host}:${echo.port}`, `channel=${host}:${echo.port}`]);
        const tasks = [
          ...local,
          "resolve=localhost:0",
          `resolve=${Deno.hostname()}:0`,
          "resolve=nowhere.invalid:0",
          "socket=nowhere.invalid:80",
          "resolve=10.42.0.9:0",
          "resolve=no_name/at all:0",
          "library=nowhere.invalid:3",
          "library=nowhere.invalid:9",
          "library=nowhere.invalid:0",
          "datagram=10.42.0.7:5432",
        ];
        assertEquals(await run(jdk, tasks, frontDoor.port), await run(jdk, tasks));
        assertEquals([...new Set(frontDoor.asked)], ["GET /address?host=nowhere.invalid"]);
      }));
  }

  it("asks once for what is the cluster's, and anew after 10 s, when it may be another session's", () =>
    withCluster(async (frontDoor) => {
      const tasks = ["peer=db.shop:5432", "channel=db.shop:5432", "asynchronous=db.shop:5432", "socket=db.shop:5432"];
      const once = ["GET /address?host=db.shop", "PUT /port?host=198.18.0.5&port=5432"];
      await run(anyJdk!, tasks, frontDoor.port);
      assertEquals(frontDoor.asked, once);
      const library = "library=db.shop:3"; // asks for the name past the JVM's own cache
      await run(anyJdk!, [library, ...tasks, "later=10:0", library, ...tasks], frontDoor.port);
      assertEquals(frontDoor.asked, [...once, ...once, ...once]);
    }));

  it("changes nothing where the front door is gone, or was never told", async () => {
    await using echo = openEchoServer();
    const gone = openFakeFrontDoor({});
    await gone[Symbol.asyncDispose]();
    const tasks = [`socket=localhost:${echo.port}`, "resolve=db.shop:0", "socket=nowhere.invalid:1"];
    const without = await run(anyJdk!, tasks);
    for (const port of [gone.port, NaN]) assertEquals(await run(anyJdk!, tasks, port), without, String(port));
  });

  it("does not wait for each name where a front door that is gone does not even refuse, as on Windows", async () => {
    using silent = await openSilentPort();
    const tasks = Array.from({ length: 8 }, (_, at) => `resolve=name-${at}.invalid:0`);
    const start = performance.now();
    await run(anyJdk!, tasks, silent.port);
    const took = performance.now() - start;
    assert(took >= 1_000 && took < 6_000, `it took ${took} ms`);
  });

  it("changes nothing where the front door says what nobody understands", () =>
    withCluster(async ({ port }) => {
      const tasks = ["resolve=db.shop:0", "resolve=other.shop:0", "resolve=long.shop:0"];
      assertEquals(await run(anyJdk!, tasks, port), await run(anyJdk!, tasks));
    }, { addresses: { "db.shop": "198.18.0", "other.shop": "<html>", "long.shop": "1".repeat(10_000) } }));

  it("waits five seconds at most for a front door that hangs", async () => {
    const hanging = Promise.withResolvers<void>();
    await withCluster(async ({ port }) => {
      const start = performance.now();
      const found = await run(anyJdk!, ["resolve=db.shop:0"], port);
      hanging.resolve();
      assertEquals(found, { "resolve=db.shop:0": "UnknownHostException" });
      assert(performance.now() - start >= 5_000, "it did not wait");
    }, { before: () => hanging.promise });
  });
});
