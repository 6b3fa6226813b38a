import { isIP } from "node:net";
import type { Clock } from "../platform/clock.ts";
import { withDeadline } from "../platform/deadline.ts";
import type { ProxySetting } from "../platform/proxy_settings.ts";
import type { Duplex } from "../stream/duplex.ts";
import { NativeStream } from "../stream/native_stream.ts";
import { connectThroughProxy, ProxyConnectError } from "../stream/proxy_connect.ts";
import { openTls, type TlsOptions } from "../stream/tls_stream.ts";
import { AccessError } from "./access.ts";
import type { ClientCertificate } from "./client_certificate.ts";
import { explainTls } from "./explain_tls.ts";

/** Which server, and how to know it. */
export interface ServerRoute {
  readonly server: URL;
  /** PEM certificates to trust; undefined for the usual ones. */
  readonly ca: string | undefined;
  /** Where `ca` comes from, for messages. */
  readonly caSource: string;
  readonly skipVerify: boolean;
  /** The name its certificate must hold. */
  readonly tlsName: string;
  readonly proxy: ProxySetting | undefined;
}

const connectTimeout = 5000;
const tlsTimeout = 5000;

/** Opens a connection to an API server through the proxy, with TLS unless its URL is `http:`. Rejects with an {@linkcode AccessError}. */
export async function connectServer(
  route: ServerRoute,
  certificate: ClientCertificate | undefined,
  deps: { readonly clock: Clock },
  signal: AbortSignal,
): Promise<Duplex> {
  const plain = await connectPlain(route, deps.clock, signal);
  if (route.server.protocol === "http:") return plain;
  const options: TlsOptions = { host: route.tlsName, ca: route.ca, certificate, skipVerify: route.skipVerify };
  const tooLate = () =>
    new AccessError(
      "timeout",
      `${subject(route)} took the connection, but gave no answer to TLS within ${tlsTimeout / 1000} s`,
    );
  try {
    return await withDeadline(deps.clock, tlsTimeout, signal, tooLate, (bounded) => secure(plain, options, bounded));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AccessError) throw error;
    throw await explainTls(error, route, () => connectPlain(route, deps.clock, signal), deps.clock, signal);
  }
}

/** `https://api.example:6443`, quoted, as the subject of a sentence. */
export function subject(route: Pick<ServerRoute, "server">): string {
  return `The API server "${route.server.origin}"`;
}

/** TCP all the way to the server, through the proxy if there is one. */
async function connectPlain(route: ServerRoute, clock: Clock, signal: AbortSignal): Promise<Duplex> {
  const { server, proxy } = route;
  const host = server.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = Number(server.port || (server.protocol === "http:" ? 80 : 443));
  const within = proxy ? ` through the proxy "${proxy.host}:${proxy.port}" (${proxy.source})` : "";
  const tooLate = () =>
    new AccessError(
      "timeout",
      `${subject(route)} did not answer${within} within ${
        connectTimeout / 1000
      } s: check the network, the VPN and the proxy settings`,
    );
  try {
    return await withDeadline(clock, connectTimeout, signal, tooLate, (bounded) => {
      if (!proxy) return connectNative(host, port, bounded);
      return connectThroughProxy(proxy, host, port, openProxy, bounded);
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AccessError) throw error;
    if (error instanceof ProxyConnectError) {
      throw new AccessError("proxy", `${subject(route)} cannot be reached. ${error.message}`, { cause: error });
    }
    throw new AccessError("unreachable", `${subject(route)} cannot be reached: ${explainConnect(error, host, port)}`, {
      cause: error,
    });
  }
}

async function openProxy(proxy: ProxySetting, signal: AbortSignal): Promise<Duplex> {
  const stream = await connectNative(proxy.host, proxy.port, signal);
  if (proxy.protocol !== "https") return stream;
  return await secure(stream, { host: proxy.host, ca: undefined, certificate: undefined, skipVerify: false }, signal);
}

async function connectNative(hostname: string, port: number, signal: AbortSignal): Promise<NativeStream> {
  const conn = await Deno.connect({ hostname, port, signal });
  conn.setNoDelay(true);
  // Half-open connections after sleep or a lost VPN are noticed by the system too.
  conn.setKeepAlive(true);
  return new NativeStream(conn);
}

/** Deno's own TLS where it can do what is asked: half the cost. It shows no client certificate, checks every server, and needs a real socket beneath. */
async function secure(stream: Duplex, options: TlsOptions, signal: AbortSignal): Promise<Duplex> {
  const native: Deno.TcpConn | Deno.TlsConn | undefined = stream instanceof NativeStream ? stream.release() : undefined;
  if (!native || !("setNoDelay" in native) || options.certificate || options.skipVerify) {
    return await openTls(native ? new NativeStream(native) : stream, options, signal);
  }
  const conn = await Deno.startTls(native, {
    hostname: options.host,
    caCerts: options.ca === undefined ? [] : [options.ca],
  });
  const secured = new NativeStream(conn);
  const abort = () => secured.close();
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    await conn.handshake();
    return secured;
  } catch (error) {
    secured.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Deno gives this failure no code: the words of getaddrinfo and the numbers of Winsock (WSAHOST_NOT_FOUND to WSANO_DATA) tell. */
const unresolved = /lookup address|os error 1100[1-4]/;

function explainConnect(error: unknown, host: string, port: number): string {
  const message = error instanceof Error ? error.message : String(error);
  const where = isIP(host) === 0 ? `"${host}"` : host;
  switch (error instanceof Error && "code" in error ? error.code : undefined) {
    case "ECONNREFUSED":
      return `nothing listens on ${where} port ${port}; is the cluster running, and is its address still the one in the kubeconfig?`;
    case "ENETUNREACH":
    case "EHOSTUNREACH":
    case "EADDRNOTAVAIL":
      return `there is no route to ${where}; check the network and the VPN`;
    case "ECONNRESET":
      return `the connection to ${where} was cut while it was being made; a firewall or proxy may forbid it`;
  }
  if (unresolved.test(message)) return `the name ${where} cannot be resolved; check the network and the VPN`;
  return message;
}
