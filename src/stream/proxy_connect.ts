import { formatIp, parseIp } from "../platform/ip_address.ts";
import type { ProxySetting } from "../platform/proxy_settings.ts";
import { bufferedDuplex } from "./buffered_duplex.ts";
import { BufferedReader, UnexpectedEnd } from "./buffered_reader.ts";
import type { Duplex } from "./duplex.ts";
import { formatRequestHead, header, type HeaderList, HeadError, parseResponseHead } from "./http_head.ts";

/** Why a proxy gave no connection. */
export type ProxyConnectErrorKind =
  /** The proxy itself cannot be reached, or ended the connection. */
  | "unreachable"
  /** It asks for a user and password, others, or in a way that hawser does not speak. */
  | "authentication"
  /** Its rules do not allow the destination. */
  | "forbidden"
  /** It found nobody listening at the destination. */
  | "refused"
  /** It could not reach the destination, or could not resolve its name. */
  | "failed"
  /** It had no answer from the destination in time. */
  | "timeout"
  /** It does not speak the protocol that its URL names. */
  | "protocol";

/** A connection that a proxy did not give. The message is a sentence for people that names the proxy and where it was set. */
export class ProxyConnectError extends Error {
  override readonly name = "ProxyConnectError";
  readonly kind: ProxyConnectErrorKind;
  constructor(kind: ProxyConnectErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Opens the connection to the proxy itself: TCP, with TLS on top where its protocol is `https`. */
export type OpenProxy = (proxy: ProxySetting, signal: AbortSignal) => Promise<Duplex>;

/**
 * A connection to `host:port` through a proxy: HTTP CONNECT (RFC 9110 §9.3.6), SOCKS5 (RFC 1928, 1929) or SOCKS4a. Names are resolved by
 * the proxy. Rejects with a {@linkcode ProxyConnectError}, or with the signal's reason; the time is bounded by the signal alone.
 */
export async function connectThroughProxy(
  proxy: ProxySetting,
  host: string,
  port: number,
  open: OpenProxy,
  signal: AbortSignal,
): Promise<Duplex> {
  let stream: Duplex;
  try {
    stream = await open(proxy, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new ProxyConnectError("unreachable", `${describe(proxy)} cannot be reached: ${message(error)}`, {
      cause: error,
    });
  }
  const abort = () => stream.reset();
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    const reader = new BufferedReader(stream);
    await handshakes[proxy.protocol](new Handshake(proxy, stream, reader), host, port);
    return bufferedDuplex(stream, reader);
  } catch (error) {
    stream.close();
    signal.throwIfAborted();
    throw explain(error, proxy);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** The `Proxy-Authorization` header for a proxy's user and password (RFC 7617); none where it has none. */
export function proxyAuthorization(proxy: ProxySetting): HeaderList {
  if (proxy.username === "" && proxy.password === "") return [];
  const bytes = new TextEncoder().encode(`${proxy.username}:${proxy.password}`);
  return [["Proxy-Authorization", `Basic ${btoa(String.fromCharCode(...bytes))}`]];
}

class Handshake {
  constructor(readonly proxy: ProxySetting, readonly stream: Duplex, readonly reader: BufferedReader) {}

  fail(kind: ProxyConnectErrorKind, what: string): ProxyConnectError {
    return new ProxyConnectError(kind, `${describe(this.proxy)} ${what}`);
  }
}

const handshakes: Readonly<
  Record<ProxySetting["protocol"], (shake: Handshake, host: string, port: number) => Promise<void>>
> = { http: connectHttp, https: connectHttp, socks4: connectSocks4, socks5: connectSocks5 };

async function connectHttp(shake: Handshake, host: string, port: number): Promise<void> {
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  await shake.stream.write(formatRequestHead({
    method: "CONNECT",
    target: authority,
    minor: 1,
    // Some company proxies refuse a request that names no program.
    headers: [["Host", authority], ["User-Agent", "hawser"], ...proxyAuthorization(shake.proxy)],
  }));
  let bytes = await shake.reader.head();
  while (bytes !== null) {
    const head = parseResponseHead(bytes);
    if (head.status >= 300) {
      throw httpFailure(shake, authority, head.status, header(head.headers, "proxy-authenticate"));
    }
    if (head.status >= 200) return;
    bytes = await shake.reader.head();
  }
  throw new UnexpectedEnd("its answer to CONNECT");
}

function httpFailure(
  shake: Handshake,
  authority: string,
  status: number,
  challenge: string | undefined,
): ProxyConnectError {
  switch (status) {
    case 407:
      return shake.fail("authentication", `${authenticationAdvice(shake.proxy, challenge)} (status 407)`);
    case 403:
    case 405:
      return shake.fail("forbidden", `does not allow a connection to ${authority} (status ${status})`);
    case 504:
      return shake.fail("timeout", `had no answer from ${authority} in time (status 504)`);
    default:
      return shake.fail("failed", `could not connect to ${authority} (status ${status})`);
  }
}

function authenticationAdvice(proxy: ProxySetting, challenge: string | undefined): string {
  if (challenge !== undefined && !/\bbasic\b/i.test(challenge)) {
    const scheme = challenge.trim().split(/[ ,]/, 1)[0];
    return `asks for "${scheme}" authentication, which hawser does not speak: run a local proxy that does (px, cntlm) and name that one`;
  }
  return proxy.username === ""
    ? `asks for a user and a password: write them as ${proxy.protocol}://USER:PASSWORD@${endpoint(proxy)}`
    : `does not accept user "${proxy.username}" with the password given`;
}

/** RFC 1928 §6. */
const socks5Failures: Readonly<Record<number, readonly [ProxyConnectErrorKind, string]>> = {
  2: ["forbidden", "does not allow a connection"],
  3: ["failed", "has no route to the network"],
  4: ["failed", "cannot reach the host"],
  5: ["refused", "found nobody listening"],
  6: ["timeout", "had no answer in time"],
};

async function connectSocks5(shake: Handshake, host: string, port: number): Promise<void> {
  const { proxy, stream, reader } = shake;
  const withPassword = proxy.username !== "" || proxy.password !== "";
  await stream.write(Uint8Array.from(withPassword ? [5, 2, 0, 2] : [5, 1, 0]));
  const [version, method] = await reader.exact(2, "its SOCKS5 greeting");
  if (version !== 5) throw shake.fail("protocol", "does not speak SOCKS5");
  if (method === 2 && withPassword) {
    await stream.write(
      Uint8Array.from([1, ...field(shake, "user", proxy.username), ...field(shake, "password", proxy.password)]),
    );
    const [, status] = await reader.exact(2, "its SOCKS5 greeting");
    if (status !== 0) throw shake.fail("authentication", authenticationAdvice(proxy, undefined));
  } else if (method !== 0) {
    throw shake.fail("authentication", authenticationAdvice(proxy, undefined));
  }
  const address = parseIp(host);
  const destination = address ? [address.length === 4 ? 1 : 4, ...address] : [3, ...field(shake, "host name", host)];
  await stream.write(Uint8Array.from([5, 1, 0, ...destination, port >> 8, port & 0xff]));
  const [, reply, , type] = await reader.exact(4, "its SOCKS5 answer");
  if (reply !== 0) {
    const [kind, what] = socks5Failures[reply!] ?? ["failed", "could not connect"];
    throw shake.fail(kind, `${what}: ${host}:${port} (SOCKS5 reply ${reply})`);
  }
  const length = type === 1 ? 4 : type === 4 ? 16 : type === 3 ? (await reader.exact(1, "its SOCKS5 answer"))[0]! : -1;
  if (length < 0) throw shake.fail("protocol", `answered with an address of unknown type ${type}`);
  await reader.exact(length + 2, "its SOCKS5 answer");
}

async function connectSocks4(shake: Handshake, host: string, port: number): Promise<void> {
  const { proxy, stream, reader } = shake;
  const encoder = new TextEncoder();
  const address = parseIp(host);
  const byAddress = address?.length === 4;
  const user = encoder.encode(proxy.username);
  const name = byAddress ? [] : [...encoder.encode(address ? formatIp(address) : host), 0];
  if (user.includes(0) || name.indexOf(0) !== name.length - 1) {
    throw shake.fail("protocol", "cannot be asked for a name with a zero byte");
  }
  await stream.write(
    Uint8Array.from([4, 1, port >> 8, port & 0xff, ...(byAddress ? address : [0, 0, 0, 1]), ...user, 0, ...name]),
  );
  const [version, reply] = await reader.exact(8, "its SOCKS4 answer");
  if (version !== 0) throw shake.fail("protocol", "does not speak SOCKS4");
  if (reply === 92 || reply === 93) throw shake.fail("authentication", `asks for an identity (SOCKS4 reply ${reply})`);
  if (reply !== 90) throw shake.fail("failed", `could not connect to ${host}:${port} (SOCKS4 reply ${reply})`);
}

/** A byte of length and the text, as SOCKS5 has names, users and passwords. */
function field(shake: Handshake, what: string, text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length === 0 || bytes.length > 255) {
    throw shake.fail("protocol", `takes a ${what} of 1 to 255 bytes, not of ${bytes.length}`);
  }
  return [bytes.length, ...bytes];
}

function explain(error: unknown, proxy: ProxySetting): ProxyConnectError {
  if (error instanceof ProxyConnectError) return error;
  if (error instanceof HeadError || error instanceof RangeError) {
    return new ProxyConnectError(
      "protocol",
      `${describe(proxy)} does not answer as an HTTP proxy does: ${error.message}`,
      {
        cause: error,
      },
    );
  }
  return new ProxyConnectError("unreachable", `${describe(proxy)} ended the connection: ${message(error)}`, {
    cause: error,
  });
}

function describe(proxy: ProxySetting): string {
  return `The proxy "${endpoint(proxy)}" (${proxy.source})`;
}

function endpoint(proxy: ProxySetting): string {
  return `${proxy.host.includes(":") ? `[${proxy.host}]` : proxy.host}:${proxy.port}`;
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
