import type { Directory, Service } from "../cluster/directory.ts";
import type { Clock } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import type { Log } from "../platform/log.ts";
import type { Duplex } from "../stream/duplex.ts";
import { listenTcp } from "../stream/listen_tcp.ts";
import { Forwarder } from "./forwarder.ts";
import type { Resolver } from "./resolver.ts";
import { Responder } from "./responder.ts";
import { serveTcp } from "./serve_tcp.ts";
import { serveUdp } from "./serve_udp.ts";

/** Where the resolver listens, and what it does with names that are not the cluster's. */
export interface DnsOptions {
  /** An address of this machine. Default `127.0.0.1`. */
  readonly host?: string;
  /** For UDP and TCP alike; 0 for any that is free for both. */
  readonly port: number;
  /** Whom to ask for other names, in order. Default nobody: they are REFUSED. */
  readonly forwardTo?: readonly Resolver[];
}

/** What the resolver works with. */
export interface DnsDeps {
  readonly directory: Directory;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * The loopback address on which the tool listens for a service on the service's own ports, to be answered instead of the real one.
   * Default: real addresses for all services.
   */
  readonly localAddress?: (service: Service) => string | undefined;
  /** Opens what queries come over, in place of a port of `host`. */
  readonly listen?: (onConnection: OnConnection) => DnsSockets | Promise<DnsSockets>;
}

/** What queries come over. */
export interface DnsSockets {
  readonly port: number;
  readonly tcp: { close(): Promise<void> };
  /** Undefined where datagrams come in streams. */
  readonly udp: Deno.DatagramConn | undefined;
}

/** Takes a stream of queries; `transport` is how they set out. */
type OnConnection = (stream: Duplex, transport?: "tcp" | "udp") => void;

/** A running resolver. */
export interface DnsServer {
  readonly host: string;
  readonly port: number;
  /** Stops at once: queries under way get no answer. */
  close(): Promise<void>;
}

/** More connections at a time are reset. */
const mostConnections = 128;
/** How often to look for a port that is free for both protocols. */
const portAttempts = 16;

/**
 * Opens a DNS resolver for the names of the directory's cluster: UDP and TCP on one port, EDNS (RFC 6891), truncation, several queries
 * at a time on a connection. Throws a {@linkcode Failure} where the port cannot be had.
 */
export async function openDns(options: DnsOptions, deps: DnsDeps): Promise<DnsServer> {
  const { host = "127.0.0.1", forwardTo = [] } = options;
  const { clock, directory, log, localAddress = () => undefined } = deps;
  // A machine that uses us for its resolver lists us among its own: asking ourselves would never end.
  const others = forwardTo.filter((resolver) => resolver.host !== host || resolver.port !== options.port);
  const forwarder = others.length > 0 ? new Forwarder(others, { clock }) : undefined;
  const responder = new Responder({ directory, clock, log, localAddress, forwarder });
  const closing = new AbortController();
  const connections = new Set<Promise<void>>();
  const serve: OnConnection = (stream, transport) => {
    if (connections.size >= mostConnections) return stream.reset();
    const served: Promise<void> = serveTcp(stream, { responder, clock, log, transport }, closing.signal)
      .finally(() => connections.delete(served));
    connections.add(served);
  };
  let bound;
  try {
    bound = await (deps.listen ?? ((serve) => bind(host, options.port, serve)))(serve);
  } catch (error) {
    closing.abort();
    responder.close();
    throw explain(error, host, options.port);
  }
  const { port, tcp, udp } = bound;
  const datagrams = udp && serveUdp(udp, { responder, clock, log }, closing.signal);
  return {
    host,
    port,
    async close() {
      if (closing.signal.aborted) return;
      closing.abort(new Error("the DNS resolver is closed"));
      udp?.close();
      responder.close();
      await Promise.all([tcp.close(), datagrams, ...connections]);
    },
  };
}

/** The same port for both protocols. */
async function bind(
  host: string,
  port: number,
  onConnection: OnConnection,
): Promise<DnsSockets> {
  for (let attempt = 1;; attempt++) {
    const tcp = await listenTcp({ host, port }, (stream) => onConnection(stream));
    try {
      return { port: tcp.port, tcp, udp: Deno.listenDatagram({ transport: "udp", hostname: host, port: tcp.port }) };
    } catch (error) {
      // Not awaited: it ends with the last connection, and the port is free at once.
      tcp.close();
      if (port !== 0 || attempt === portAttempts) throw error;
    }
  }
}

function explain(error: unknown, host: string, port: number): Error {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const options = { cause: error };
  switch (code) {
    case "EADDRINUSE":
      return new Failure(
        `Port ${port} on ${host} is taken, so no DNS resolver can listen there: choose another with --dns-port`,
        options,
      );
    case "EACCES":
      return new Failure(
        `Port ${port} on ${host} is reserved by the system: choose one from 1024 on with --dns-port`,
        options,
      );
    case "EADDRNOTAVAIL":
    case "EINVAL": // What Deno's node:net makes of it.
      return new Failure(`${host} is no address of this machine, so no DNS resolver can listen there`, options);
    default:
      return new Failure(`No DNS resolver could be opened on ${host}, port ${port}: ${error}`, options);
  }
}
