import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { listenTcp, type TcpListener } from "../stream/listen_tcp.ts";
import type { TcpStream } from "../stream/tcp_stream.ts";
import { AgentConnection, type Entrance } from "./agent_connection.ts";
import { awaitOrigins } from "./await_origins.ts";
import { LinkServer } from "./link_server.ts";
import { Owners } from "./owners.ts";
import type { AgentConfig } from "./protocol.ts";
import { serveClient } from "./serve_client.ts";
import { serveHealth } from "./serve_health.ts";

/** A running agent. */
export interface Agent {
  /**
   * Leaves without harm: says that it is not ready, goes on accepting while the cluster's proxies learn that, has everything answered by the original
   * pods and connections end with their next answer. Resolves when the last has ended, after 22 s at the latest.
   */
  stop(): Promise<void>;
  /** Ends everything at once. */
  close(): Promise<void>;
}

/**
 * Milliseconds for which connections are still taken after the pod was said to go: at least, on from the last that came, as a node that is slow to learn
 * it still sends some, and at most.
 */
const stillAccepting = { least: 4_000, afterLast: 2_000, most: 14_000 };
/** Milliseconds until what is left is cut. */
const stopPatience = 22_000;

const connectionLimit = 20_000;

/** Starts an agent. Rejects with the system's error where a port cannot be had. */
export async function startAgent(
  config: AgentConfig,
  token: string,
  deps: { readonly clock: Clock; readonly log: Log },
): Promise<Agent> {
  const agent = new RunningAgent(config, token, deps);
  try {
    await agent.listen();
  } catch (error) {
    await agent.close();
    throw error;
  }
  return agent;
}

class RunningAgent implements Agent {
  readonly #config: AgentConfig;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #owners: Owners;
  readonly #links: LinkServer;
  readonly #entrances: TcpListener[] = [];
  readonly #others: TcpListener[] = [];
  readonly #closing = new AbortController();
  readonly #connections = new Map<AgentConnection, Promise<void>>();
  #acceptedAt = -Infinity;
  /** Whether this node leads to the original pods. */
  #originsKnown = false;
  #stopping = false;

  constructor(config: AgentConfig, token: string, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#config = config;
    this.#clock = deps.clock;
    this.#log = deps.log;
    const onDrain = () => {
      for (const connection of this.#connections.keys()) connection.finish();
    };
    this.#owners = new Owners(config.ports, onDrain, deps);
    this.#links = new LinkServer({ token, service: config.service, owners: this.#owners }, deps);
  }

  async listen(): Promise<void> {
    const { address, ports, linkPort, healthPort, service } = this.#config;
    const everywhere = address === undefined ? ["::", "0.0.0.0"] : [address];
    const loopback = address === undefined ? ["127.0.0.1", "::1"] : [address];
    this.#others.push(...await listenOn(loopback, linkPort, (stream) => void this.#links.accept(stream)));
    for (const port of ports) {
      const entrance = {
        port,
        service,
        owners: this.#owners,
        clock: this.#clock,
        log: this.#log,
      };
      this.#entrances.push(...await listenOn(everywhere, port.port, (stream) => this.#accept(stream, entrance)));
    }
    const health = (stream: TcpStream) => void serveHealth(stream, () => this.#ready, this.#clock);
    this.#others.push(...await listenOn(everywhere, healthPort, health));
    const origins = ports.flatMap(({ origin }) => origin ? [origin] : []);
    void awaitOrigins(origins, this.#closing.signal, { clock: this.#clock, log: this.#log })
      .then(() => this.#originsKnown = true);
    this.#log.info(`Serving "${service}" on ${ports.map(({ port }) => port).join(", ") || "no port"}`);
  }

  get #ready(): boolean {
    if (this.#stopping || !this.#originsKnown) return false;
    switch (this.#config.ready) {
      case "linked":
        return this.#owners.hasTaken;
      case "while-linked":
        return this.#owners.taking;
      default:
        return true;
    }
  }

  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const cut = this.#clock.after(stopPatience, () => this.#cut());
    const drained = this.#owners.end(stopPatience);
    if (this.#entrances.length > 0) await this.#nobodyComes();
    this.#log.info(`${this.#connections.size} connections are left to end`);
    for (const listener of this.#entrances) listener.close();
    await this.#idle();
    cut();
    await drained;
    await this.close();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const listener of [...this.#entrances, ...this.#others]) listener.close();
    this.#cut();
    this.#links.close();
    this.#owners.close();
    await this.#idle();
  }

  async #nobodyComes(): Promise<void> {
    const began = this.#clock.now();
    for (let until = began + stillAccepting.least; this.#clock.now() < until;) {
      await this.#clock.sleep(until - this.#clock.now());
      until = Math.min(began + stillAccepting.most, this.#acceptedAt + stillAccepting.afterLast);
    }
  }

  #cut(): void {
    for (const connection of this.#connections.keys()) connection.end(new Error("The agent ends"));
  }

  async #idle(): Promise<void> {
    while (this.#connections.size > 0) await Promise.all(this.#connections.values());
  }

  #accept(stream: TcpStream, entrance: Entrance): void {
    if (this.#connections.size >= connectionLimit) return stream.reset();
    this.#acceptedAt = this.#clock.now();
    const connection = new AgentConnection(stream, entrance);
    if (this.#owners.draining) connection.finish();
    const served = serveClient(connection).catch((error) => {
      this.#log.error(`A connection failed: ${error instanceof Error ? error.stack : error}`);
    });
    this.#connections.set(connection, served.finally(() => this.#connections.delete(connection)));
  }
}

/** Listens on each address that the pod has; one that has been taken along with another (`::` takes `0.0.0.0` where both families share a socket) is none. */
async function listenOn(
  hosts: readonly string[],
  port: number,
  onConnection: (stream: TcpStream) => void,
): Promise<TcpListener[]> {
  const listeners: TcpListener[] = [];
  let failure: unknown;
  for (const host of hosts) {
    try {
      listeners.push(await listenTcp({ host, port }, onConnection));
    } catch (error) {
      failure = error;
    }
  }
  if (listeners.length === 0) throw failure;
  return listeners;
}
