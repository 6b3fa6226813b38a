import { type Clock, systemClock } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { type Log, silentLog } from "../platform/log.ts";
import { SparingWarnings } from "../platform/sparing_warnings.ts";
import type { Duplex } from "../stream/duplex.ts";
import type { HttpPatience } from "../stream/http_connection.ts";
import { listenTcp, type TcpListener } from "../stream/listen_tcp.ts";
import { DialError } from "../tunnel/dialer.ts";
import { Connection, type FrontDoor } from "./connection.ts";
import type { ControlPage } from "./control_pages.ts";
import { serveHttp } from "./http.ts";
import type { Router } from "./routing.ts";
import { serveAssociation } from "./serve_association.ts";
import { type Credentials, readSocksRequest, SocksError, socksReply } from "./socks.ts";

/** How the front door is to be. */
export interface ProxyOptions {
  /** Ports to try, in this order; 0 means any free one. */
  readonly ports: readonly number[];
  /** Addresses to listen on with the same port: the first must be had, the others are taken where they can be. Default 127.0.0.1 and ::1. */
  readonly hosts?: readonly string[];
  /** Asked of every client where given; else any user and password are accepted and ignored. */
  readonly credentials?: Credentials;
  /** Secret of this session, for its own pages. */
  readonly token: string;
  /** Connections at one time. Default 10,000. */
  readonly connections?: number;
  readonly patience?: Partial<HttpPatience>;
}

/** What the front door needs. */
export interface ProxyDeps {
  readonly router: Pick<Router, "route"> & Partial<Pick<Router, "carriesDatagrams">>;
  /** The tool's own pages, by method and path: `GET /status`. */
  readonly pages?: Readonly<Record<string, ControlPage>>;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Told why tunnels cannot be had, which no client shows. Default: on `log`, the same once in a while. */
  readonly warnings?: Pick<SparingWarnings, "warn">;
  readonly listen?: typeof listenTcp;
}

/** What `status` shows of the front door. Connections that were for the tool's own pages alone are not counted. */
export interface ProxyCounts {
  /** Connections open now. */
  readonly open: number;
  /** Connections since the start. */
  readonly total: number;
  /** Bytes from clients to their destinations. */
  readonly sent: number;
  /** Bytes from destinations to clients. */
  readonly received: number;
}

/** The front door: one port that speaks SOCKS5, SOCKS4, SOCKS4a and HTTP. */
export interface ProxyServer {
  readonly port: number;
  /** Addresses it listens on. */
  readonly hosts: readonly string[];
  counts(): ProxyCounts;
  /** Serves a connection that came another way than through the port. */
  serve(stream: Duplex): void;
  /** Stops listening at once and ends all connections; resolves when the last is gone. */
  close(): Promise<void>;
}

/**
 * Opens the front door. Which protocol a client speaks is seen from its first byte: 5 and 4 are SOCKS, a letter is HTTP. Rejects with a
 * {@linkcode Failure} that names the port when none of `ports` can be had.
 */
export async function openProxy(options: ProxyOptions, deps: ProxyDeps): Promise<ProxyServer> {
  const { clock = systemClock, log = silentLog, listen = listenTcp } = deps;
  const door = {
    port: 0,
    credentials: options.credentials,
    router: deps.router,
    pages: deps.pages ?? {},
    token: options.token,
    patience: { handshake: 30_000, idle: 300_000, ...options.patience },
    clock,
    log,
    warnings: deps.warnings ?? new SparingWarnings({ clock, log }),
    traffic: { sent: 0, received: 0 },
  };
  const clients = new Clients(door, options.connections ?? 10_000);
  const listeners = await listenAnywhere(options, listen, (stream) => clients.accept(stream, stream.remote), log);
  const { host, port } = listeners[0]!;
  door.port = port;
  return {
    port,
    hosts: listeners.map((listener) => listener.host),
    counts: () => clients.counts(),
    serve: (stream) => clients.accept(stream, host),
    async close() {
      const closed = listeners.map((listener) => listener.close());
      await clients.close();
      await Promise.all(closed);
    },
  };
}

/** All clients of one front door. */
class Clients {
  readonly #door: FrontDoor;
  readonly #limit: number;
  readonly #connections = new Map<Connection, Promise<void>>();
  readonly #told = new Set<string>();
  /** Connections that have ended, of those that are counted. */
  #past = 0;

  constructor(door: FrontDoor, limit: number) {
    this.#door = door;
    this.#limit = limit;
  }

  /** `remote` is where the client is: an address, with a port or without. */
  accept(stream: Duplex, remote: string): void {
    if (this.#connections.size >= this.#limit) {
      this.#warn(`The proxy has ${this.#limit} connections open, its limit: new ones are closed until some end`);
      return stream.reset();
    }
    const connection = new Connection(stream, remote, this.#door);
    const served = this.#serve(connection).finally(() => {
      this.#connections.delete(connection);
      if (connection.used) this.#past++;
    });
    this.#connections.set(connection, served);
  }

  counts(): ProxyCounts {
    const open = [...this.#connections.keys()].filter(({ used }) => used).length;
    return { open, total: this.#past + open, ...this.#door.traffic };
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.keys()) {
      connection.end(new DialError("unreachable", "hawser is shutting down"));
    }
    await Promise.all(this.#connections.values());
  }

  /** Whatever one client does, it must not reach another. */
  async #serve(connection: Connection): Promise<void> {
    try {
      await this.#speak(connection);
    } catch (error) {
      this.#door.log.error(`A client's connection failed: ${error instanceof Error ? error.stack : error}`);
    } finally {
      connection.settle();
      connection.client.close();
    }
  }

  async #speak(connection: Connection): Promise<void> {
    connection.expire(this.#door.patience.handshake, "it says nothing");
    try {
      if (!await connection.reader.fill()) return;
    } catch {
      return;
    }
    const first = connection.reader.buffered[0]!;
    if (first === 4 || first === 5) return await this.#speakSocks(connection);
    if (first >= 0x41 && first <= 0x5a || first >= 0x61 && first <= 0x7a) return await serveHttp(connection);
    if (first === 0x16) {
      this.#warn(
        `A program speaks TLS to the proxy: write its proxy URL as http://127.0.0.1:${this.#door.port}, not https://`,
      );
    } else {
      this.#door.log.debug(
        `A client speaks neither SOCKS nor HTTP: its first byte is 0x${first.toString(16).padStart(2, "0")}`,
      );
    }
  }

  async #speakSocks(connection: Connection): Promise<void> {
    const { client, reader } = connection;
    let version: 4 | 5;
    let upstream: Duplex;
    try {
      const { credentials, router } = this.#door;
      const request = await readSocksRequest(reader, client, credentials, router.carriesDatagrams);
      connection.settle();
      if (request.command === "associate") return await serveAssociation(connection, request.port);
      version = request.version;
      try {
        upstream = await connection.open(request.target, "tcp");
      } catch (error) {
        if (!(error instanceof DialError)) throw error;
        throw new SocksError(error.message, socksReply(version, error.kind));
      }
    } catch (error) {
      return await this.#refuseSocks(connection, error);
    }
    try {
      await client.write(socksReply(version, "granted"));
    } catch {
      return upstream.reset();
    }
    await connection.tunnel(upstream);
  }

  async #refuseSocks(connection: Connection, error: unknown): Promise<void> {
    if (!(error instanceof SocksError)) {
      if (error instanceof DialError) throw error;
      return; // The client broke off.
    }
    this.#door.log.debug(error.message);
    try {
      await connection.client.write(error.reply);
    } catch {
      return;
    }
    await connection.linger();
  }

  /** Says the same thing once: a program with a wrong setting comes again and again. */
  #warn(message: string): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    this.#door.log.warn(message);
  }
}

/** Listens on the first of the ports that can be had; at least one listener. */
async function listenAnywhere(
  options: ProxyOptions,
  listen: typeof listenTcp,
  onConnection: (stream: Duplex & { readonly remote: string }) => void,
  log: Log,
): Promise<TcpListener[]> {
  const [host = "127.0.0.1", ...others] = options.hosts ?? ["127.0.0.1", "::1"];
  let failure: unknown;
  for (const wanted of options.ports) {
    let first: TcpListener;
    try {
      first = await listen({ host, port: wanted }, onConnection);
    } catch (error) {
      failure = error;
      continue;
    }
    const listeners = [first];
    for (const other of others) {
      try {
        listeners.push(await listen({ host: other, port: first.port }, onConnection));
      } catch (error) {
        log.debug(`The proxy does not listen on ${other}: ${error instanceof Error ? error.message : error}`);
      }
    }
    return listeners;
  }
  throw explainListen(host, options.ports, failure);
}

function explainListen(host: string, ports: readonly number[], cause: unknown): Failure {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const where = `${host}:${ports.at(-1)}`;
  switch (code) {
    case "EADDRINUSE":
      return new Failure(
        `Port ${where} is taken by another program: choose another with --port, or --port 0 for any free one`,
        { cause },
      );
    case "EACCES":
      return new Failure(`Port ${where} is reserved by the system: choose one of 1024 or more with --port`, { cause });
    case "EADDRNOTAVAIL":
    case "EINVAL": // what Deno's node:net makes of it
      return new Failure(`${host} is not an address of this machine, so the proxy cannot listen there`, { cause });
    default:
      return new Failure(`The proxy cannot listen on ${where}: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      });
  }
}
