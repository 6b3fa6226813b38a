import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { getAvailablePort } from "@std/net/get-available-port";
import type { AgentConfig } from "../../src/agent/protocol.ts";
import { agentSource } from "../../src/inbound/agent_source.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import { listenTcp, type TcpListener } from "../../src/stream/listen_tcp.ts";
import { End } from "../stream/end.ts";
import { hello, marked } from "./agent_scene.ts";
import { FakeLaptop } from "./fake_laptop.ts";
import { speakHttp } from "./speak_http.ts";

const runtimes: Readonly<Record<string, readonly string[]>> = {
  node: ["node"],
  deno: [Deno.execPath(), "run", "--quiet", "--no-config", "-A"],
};

async function runs(command: string): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: ["--version"], stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

const hasNode = await runs("node");

/** What a process writes, as it comes. */
class Output {
  text = "";
  readonly ended: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.ended = this.#read(stream);
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of stream) this.text += new TextDecoder().decode(chunk);
  }

  async until(text: string): Promise<void> {
    for (let turn = 0; !this.text.includes(text); turn++) {
      if (turn > 500) throw new Error(`It never said ${JSON.stringify(text)} but:\n${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

describe("the agent's bundle", () => {
  let folder = "";
  let pods: TcpListener;
  let config: AgentConfig;
  beforeEach(async () => {
    folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/agent.mjs`, await agentSource());
    await Deno.writeTextFile(`${folder}/token`, "secret\n");
    pods = await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => {
      speakHttp("origin")(new End(stream)).catch(() => {}).finally(() => stream.close());
    });
    config = {
      linkPort: getAvailablePort(),
      healthPort: getAvailablePort(),
      tokenFile: `${folder}/token`,
      service: "dev/orders",
      ports: [{ port: getAvailablePort(), origin: { host: "127.0.0.1", port: pods.port } }],
    };
  });
  afterEach(async () => {
    await pods.close();
    await Deno.remove(folder, { recursive: true });
  });

  const start = ([command = "", ...args]: readonly string[], configuration: string) =>
    new Deno.Command(command, {
      args: [...args, `${folder}/agent.mjs`],
      env: { HAWSER_AGENT: configuration },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  const connect = async (port: number, host = "127.0.0.1") =>
    new End(await connectTcp(host, port, new AbortController().signal));

  for (const [name, command] of Object.entries(runtimes)) {
    it(
      `serves under ${name}, and leaves on SIGTERM without failing a request`,
      { ignore: name === "node" ? !hasNode : Deno.build.os === "windows" },
      async () => {
        const child = start(command, JSON.stringify(config));
        const out = new Output(child.stdout), err = new Output(child.stderr);
        await out.until('Serving "dev/orders"');
        const port = config.ports[0]!.port;
        const link = await connectTcp("127.0.0.1", config.linkPort, new AbortController().signal);
        const laptop = await FakeLaptop.open(link, hello("alice"), speakHttp("alice"), systemClock);
        await laptop.rule({ id: "1", port, match: [marked], fallback: "origin" });
        const client = await connect(port);
        const ask = async (headers = "") => {
          await client.send(`GET / HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
          const head = await client.head();
          return `${await client.text(Number(/Content-Length: (\d+)/.exec(head)?.[1]))} ${
            /Connection: (\w+)/.exec(head)?.[1]
          }`;
        };
        assertEquals(await ask("Version: alice\r\n"), "alice GET / 0 undefined");
        assertEquals(await ask(), "origin GET / 0 undefined");
        const health = async () => {
          const probe = await connect(config.healthPort);
          await probe.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
          return (await probe.rest()).split("\r\n", 1)[0];
        };
        assertEquals(await health(), "HTTP/1.1 200 OK");
        child.kill("SIGTERM");
        await out.until("Draining");
        assertEquals(await health(), "HTTP/1.1 503 Service Unavailable");
        const late = await connect(port);
        await late.send("GET /late HTTP/1.1\r\nHost: x\r\n\r\n");
        assertStringIncludes(await late.rest(), "origin GET /late 0");
        late.stream.close();
        assertEquals(await ask("Version: alice\r\n"), "origin GET / 0 close");
        client.stream.close();
        const { code } = await child.status;
        await Promise.all([out.ended, err.ended, laptop.ended]);
        link.close();
        assertEquals([code, err.text], [0, ""]);
        assert(!out.text.includes("secret"), out.text);
      },
    );

    it(
      `says under ${name} why it cannot start`,
      { ignore: name === "node" && !hasNode },
      async () => {
        for (
          const [configuration, reason] of [
            ["", /The agent cannot start: .*JSON/],
            ["{}", /The agent cannot start: "linkPort"|"port" is not a whole number/],
            [JSON.stringify({ ...config, tokenFile: `${folder}/none` }), /The agent cannot start: .*none/],
            [
              JSON.stringify({ ...config, healthPort: pods.port, address: "127.0.0.1" }),
              /The agent cannot start: .*EADDRINUSE/,
            ],
          ] as const
        ) {
          const { code, stdout } = await start(command, configuration).output();
          assertEquals(code, 1);
          assertMatch(new TextDecoder().decode(stdout), reason);
        }
      },
    );
  }
});
