import { bufferedDuplex } from "../stream/buffered_duplex.ts";
import { Upstream } from "../stream/kept_upstreams.ts";
import type { AgentConnection } from "./agent_connection.ts";
import { OriginError } from "./dial_origin.ts";
import type { Taker } from "./owners.ts";
import { type OpenedUpstream, originKey, serveHttp1, takerKey } from "./serve_http1.ts";
import { serveHttp2 } from "./serve_http2.ts";
import { type Protocol, sniff } from "./sniff.ts";

/** Milliseconds of silence after which the server may be the one who speaks first, and for the rest of a first line that has begun. */
const silence = 100;
const patience = 1000;

/** The first byte of a TLS connection (RFC 8446 §5.1). */
const tlsHandshake = 22;

/**
 * Serves one client's connection to its end, and closes it: HTTP in clear text request by request, everything else whole, by the port's exchange or to the
 * original pods. Never rejects for what the client or its destination do.
 */
export async function serveClient(connection: AgentConnection): Promise<void> {
  try {
    const spoke = await hears(connection, silence);
    if (spoke === undefined) await serveSilent(connection);
    else if (spoke) await serveSpoken(connection);
  } finally {
    connection.settle();
    connection.client.close();
  }
}

/** Whether the client says something: false where it has gone, undefined where it is silent for `ms`. */
async function hears({ client, clock }: AgentConnection, ms: number): Promise<boolean | undefined> {
  let cancel = () => {};
  const late = new Promise<undefined>((resolve) => cancel = clock.after(ms, () => resolve(undefined)));
  try {
    return await Promise.race([client.peek(), late]);
  } catch {
    return false;
  } finally {
    cancel();
  }
}

/** Who speaks first tells what is spoken: a server does not in HTTP. */
async function serveSilent(connection: AgentConnection): Promise<void> {
  const opened = await openWhole(connection);
  if (!opened) return connection.client.reset();
  const first = await Promise.race([
    connection.client.peek().then((more) => more ? "client" : "nobody", () => "nobody"),
    opened.upstream.stream.peek().then(() => "server", () => "server"),
  ]);
  if (first === "client") await serveSpoken(connection, opened);
  else await tunnel(connection, opened);
}

async function serveSpoken(connection: AgentConnection, opened?: WholeUpstream): Promise<void> {
  switch (await protocolOf(connection)) {
    case "http1":
      return await serveHttp1(connection, opened);
    case "http2":
      return await serveHttp2(connection, opened);
    case "other": {
      const { owners, port } = connection.entrance;
      if (connection.reader.buffered[0] === tlsHandshake) owners.tellEncrypted(port.port);
      const whole = opened ?? await openWhole(connection);
      if (whole) await tunnel(connection, whole);
      else connection.client.reset();
    }
  }
}

async function protocolOf(connection: AgentConnection): Promise<Protocol> {
  for (;;) {
    const protocol = sniff(connection.reader.buffered);
    if (protocol) return protocol;
    if (!await hears(connection, patience)) return "other";
    await connection.reader.fill();
  }
}

/** A connection for a client's connection as a whole. */
interface WholeUpstream extends OpenedUpstream {
  /** Whose laptop it leads to. */
  readonly taker?: Taker;
}

/** Undefined where nobody takes it. */
async function openWhole(connection: AgentConnection): Promise<WholeUpstream | undefined> {
  const { owners, port, log } = connection.entrance;
  const taker = owners.exchange(port.port);
  if (taker) {
    const { link, rule } = taker;
    try {
      const stream = link.deliver({ rule: rule.id, port: rule.port, remote: connection.remote });
      await stream.accepted;
      return { key: takerKey(taker), upstream: new Upstream(stream), taker };
    } catch {
      if (link.alive && rule.fallback === "error") return undefined;
    }
  }
  try {
    const stream = await connection.dialOrigin();
    return { key: originKey, upstream: new Upstream(stream) };
  } catch (error) {
    if (!(error instanceof OriginError)) throw error;
    log.debug(error.message);
    return undefined;
  }
}

async function tunnel(connection: AgentConnection, { upstream, taker }: WholeUpstream): Promise<void> {
  const carried = connection.tunnel(bufferedDuplex(upstream.stream, upstream.reader));
  if (!taker) return await carried;
  const { link, rule } = taker;
  const { clock, remote, traffic } = connection;
  const started = clock.now();
  link.served(rule.id);
  link.saw({ kind: "opened", rule: rule.id, remote });
  await connection.entrance.owners.track(carried);
  link.saw({ kind: "closed", rule: rule.id, remote, ms: Math.round(clock.now() - started), ...traffic });
}
