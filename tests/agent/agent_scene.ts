import { getAvailablePort } from "@std/net/get-available-port";
import { type AgentConfig, type Match, protocolVersions, type Rule } from "../../src/agent/protocol.ts";
import { type Agent, startAgent } from "../../src/agent/start_agent.ts";
import { silentLog } from "../../src/platform/log.ts";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import { listenTcp } from "../../src/stream/listen_tcp.ts";
import type { TcpStream } from "../../src/stream/tcp_stream.ts";
import { FakeClock } from "../fake_clock.ts";
import { End } from "../stream/end.ts";
import { FakeLaptop, type Program } from "./fake_laptop.ts";
import { speakHttp } from "./speak_http.ts";

/** An agent in this process, before original pods and laptops that the test plays. */
export interface AgentScene {
  readonly agent: Agent;
  readonly clock: FakeClock;
  /** Where the service's traffic arrives. */
  readonly port: number;
  readonly healthPort: number;
  /** What the agent has logged. */
  readonly told: readonly string[];
  /** How many connections the original pods have got. */
  readonly originConnections: number;
  /** A new client of the service. */
  connect(port?: number): Promise<End>;
  /** A new connection to the link port. */
  connectLink(): Promise<TcpStream>;
  /** A laptop with a link. The name is its owner's, the identity too. */
  laptop(name: string, program?: Program): Promise<FakeLaptop>;
  /** A rule for the service's port; none of the conditions is an exchange. */
  rule(match?: readonly Match[], fallback?: Rule["fallback"]): Rule;
}

/** How the scene is to be. */
export interface SceneOptions {
  /** What the original pods do with each connection; null for a preview, `refuses` where nothing listens. Default {@linkcode speakHttp}. */
  readonly origin?: ((end: End) => Promise<void>) | null | "refuses";
  /** How an agent without original pods bears that. */
  readonly alone?: { readonly ready: AgentConfig["ready"]; readonly nobody: string };
}

/** The mark that most tests use. */
export const marked: Match = { kind: "header", name: "version", how: "equals", value: "alice" };

/** Greets as {@linkcode FakeLaptop} does by default. */
export function hello(
  name: string,
): { hawser: typeof protocolVersions; token: string; owner: { id: string; name: string } } {
  return { hawser: protocolVersions, token: "secret", owner: { id: `id of ${name}`, name } };
}

/** Starts the scene, runs the test, and takes everything down. A test that waits for what never comes fails after 10 s. */
export async function withAgent(test: (scene: AgentScene) => Promise<void>, options: SceneOptions = {}): Promise<void> {
  const { origin = speakHttp("origin"), alone } = options;
  const clock = new FakeClock();
  const told: string[] = [];
  const tell = (message: string) => void told.push(message);
  const log = { ...silentLog, event: tell, error: tell, warn: tell, info: tell };
  const streams = new Set<TcpStream>();
  const played: Promise<void>[] = [];
  let originConnections = 0;
  const probed = Promise.withResolvers<void>();
  let awaited = typeof origin === "function";
  const pods = typeof origin !== "function" ? undefined : await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => {
    if (awaited) { // the agent has a look whether there is a way here
      awaited = false;
      probed.resolve();
      return stream.close();
    }
    originConnections++;
    streams.add(stream);
    played.push(origin(new End(stream)).then(() => stream.closeWrite(), () => {}).finally(() => stream.close()));
  });
  const [port, linkPort, healthPort, closedPort] = [0, 0, 0, 0].map(() => getAvailablePort()) as [
    number,
    number,
    number,
    number,
  ];
  const agent = await startAgent(
    {
      address: "127.0.0.1",
      linkPort,
      healthPort,
      tokenFile: "",
      service: "dev/orders",
      ...(alone ? { ready: alone.ready } : {}),
      ports: [{
        port,
        ...(alone ? { nobody: alone.nobody } : {}),
        ...(origin === null ? {} : { origin: { host: "127.0.0.1", port: pods?.port ?? closedPort } }),
      }],
    },
    "secret",
    { clock, log },
  );
  if (pods) await probed.promise;
  const connect = async (to: number) => {
    const stream = await connectTcp("127.0.0.1", to, new AbortController().signal);
    streams.add(stream);
    return stream;
  };
  const takeDown = async () => {
    for (const stream of streams) stream.close();
    await agent.close();
    await pods?.close();
    await Promise.all(played);
  };
  let rules = 0;
  let late = false;
  const guard = setTimeout(() => {
    late = true;
    void takeDown();
  }, 10_000);
  try {
    await test({
      agent,
      clock,
      port,
      healthPort,
      told,
      get originConnections() {
        return originConnections;
      },
      connect: async (to = port) => new End(await connect(to)),
      connectLink: () => connect(linkPort),
      laptop: async (name, program = speakHttp(name)) =>
        await FakeLaptop.open(await connect(linkPort), hello(name), program, clock),
      rule: (match = [], fallback = "origin") => ({ id: `rule ${++rules}`, port, match, fallback }),
    });
    if (late) throw new Error("The test took more than 10 s and was cut short");
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.stack : error}\nThe agent said:\n${told.join("\n")}`, {
      cause: error,
    });
  } finally {
    clearTimeout(guard);
    await takeDown();
  }
}
