import { formatIp, parseIp } from "../platform/ip_address.ts";
import { type BufferedReader, UnexpectedEnd } from "../stream/buffered_reader.ts";
import type { Duplex } from "../stream/duplex.ts";
import type { DialErrorKind, Target } from "../tunnel/dialer.ts";
import { equalSecret } from "../platform/equal_secret.ts";
import { parseHostName } from "./host_name.ts";

/** A user and password that clients of the proxy have to give. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** What a SOCKS client asks for. It gets its answer by {@linkcode socksReply} once the outcome is known. */
export type SocksRequest =
  /** A connection. */
  | { readonly command: "connect"; readonly version: 4 | 5; readonly target: Target }
  /** A UDP association. `port` is the one from which the client's datagrams are to come, 0 where it does not say. */
  | { readonly command: "associate"; readonly version: 5; readonly port: number };

/** A SOCKS handshake that leads to no connection. The message says why. */
export class SocksError extends Error {
  override readonly name = "SocksError";
  /** What the client is to be told before the connection is closed; empty for nothing. */
  readonly reply: Uint8Array;
  constructor(message: string, reply: Uint8Array = new Uint8Array(0)) {
    super(message);
    this.reply = reply;
  }
}

/** RFC 1928 §6. */
const succeeded = 0, generalFailure = 1, commandNotSupported = 7, addressTypeNotSupported = 8;

/** SOCKS5 reply codes (RFC 1928 §6) for the reasons why a connection could not be had. SOCKS4 knows one refusal only, 91. */
const replyCodes: Readonly<Record<DialErrorKind, number>> = {
  forbidden: 2, // connection not allowed by ruleset
  unreachable: 3, // network unreachable
  unknown: 4, // host unreachable: SOCKS has no word for a name that does not exist
  refused: 5, // connection refused
  "not-ready": 5, // what kube-proxy, too, answers for a service without ready pods, so clients retry as they would inside
  timeout: 6, // TTL expired
  unsupported: generalFailure,
};

/**
 * Reads a client's SOCKS5 (RFC 1928, RFC 1929) or SOCKS4/4a handshake up to its request and answers all but the request itself. Where
 * `credentials` are asked for only SOCKS5 with the right user and password gets through; else any are accepted and ignored. Rejects with a
 * {@linkcode SocksError}, or an `UnexpectedEnd` when the client breaks off. `associations` says whether UDP associations may be asked for. Time is the
 * caller's to bound.
 */
export async function readSocksRequest(
  reader: BufferedReader,
  client: Pick<Duplex, "write">,
  credentials?: Credentials,
  associations: boolean = false,
): Promise<SocksRequest> {
  const [version] = await reader.exact(1, "a SOCKS request");
  switch (version) {
    case 5:
      await authenticate(reader, client, credentials);
      return await readSocks5Request(reader, associations);
    case 4:
      return await readSocks4Request(reader, credentials);
    default:
      throw new SocksError(`SOCKS version ${version} is unknown`);
  }
}

/** The answer to a request for an association: where its datagrams are to be sent. */
export function associationReply(host: string, port: number): Uint8Array {
  const address = parseIp(host) ?? new Uint8Array(4);
  return Uint8Array.from([5, succeeded, 0, address.length === 4 ? 1 : 4, ...address, port >> 8, port & 0xff]);
}

/** The answer to a request for a connection: `granted`, or why not. The bound address is left at zero, as it means nothing to anybody. */
export function socksReply(version: 4 | 5, outcome: "granted" | DialErrorKind): Uint8Array {
  if (version === 4) return socks4Reply(outcome === "granted");
  return socks5Reply(outcome === "granted" ? succeeded : replyCodes[outcome]);
}

function socks5Reply(code: number): Uint8Array {
  return Uint8Array.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
}

function socks4Reply(granted: boolean): Uint8Array {
  return Uint8Array.from([0, granted ? 90 : 91, 0, 0, 0, 0, 0, 0]);
}

/** Chooses a method (RFC 1928 §3): none if it may be, because then the request comes a round trip sooner. */
async function authenticate(
  reader: BufferedReader,
  client: Pick<Duplex, "write">,
  credentials: Credentials | undefined,
): Promise<void> {
  const none = 0, password = 2, noneAcceptable = 0xff;
  const [count = 0] = await reader.exact(1, "a SOCKS5 greeting");
  const methods = new Set(await reader.exact(count, "a SOCKS5 greeting"));
  if (!credentials && methods.has(none)) return await client.write(Uint8Array.from([5, none]));
  if (!methods.has(password)) {
    throw new SocksError(
      credentials
        ? "The client gave no user and password"
        : `None of the client's ways to authenticate is known: ${[...methods].join(", ")}`,
      Uint8Array.from([5, noneAcceptable]),
    );
  }
  await client.write(Uint8Array.from([5, password]));
  const [version] = await reader.exact(1, "a SOCKS5 user");
  const username = await readField(reader, "a SOCKS5 user");
  const given = await readField(reader, "a SOCKS5 password");
  const userIsRight = !credentials || equalSecret(credentials.username, username);
  const passwordIsRight = !credentials || equalSecret(credentials.password, given);
  if (version !== 1 || !userIsRight || !passwordIsRight) {
    throw new SocksError("The client gave a wrong user or password", Uint8Array.from([1, 1]));
  }
  await client.write(Uint8Array.from([1, 0]));
}

async function readSocks5Request(reader: BufferedReader, associations: boolean): Promise<SocksRequest> {
  const what = "a SOCKS5 request";
  const [version, command, , addressType] = await reader.exact(4, what);
  if (version !== 5) throw new SocksError(`SOCKS version ${version} in the middle of version 5`);
  let host: string;
  switch (addressType) {
    case 1:
      host = formatIp(await reader.exact(4, what));
      break;
    case 3:
      host = await readField(reader, what);
      break;
    case 4:
      host = formatIp(await reader.exact(16, what));
      break;
    default:
      throw new SocksError(`SOCKS5 address type ${addressType} is unknown`, socks5Reply(addressTypeNotSupported));
  }
  const port = readPort(await reader.exact(2, what));
  // Only now, with the request read whole, can the client be sure to see the answer.
  if (command === 3 && associations) return { command: "associate", version: 5, port };
  if (command !== 1) {
    const what = command === 3
      ? "UDP ASSOCIATE takes the relay: start hawser with --relay"
      : `SOCKS5 command ${command} is not supported, only CONNECT and UDP ASSOCIATE are`;
    throw new SocksError(what, socks5Reply(commandNotSupported));
  }
  return { command: "connect", version: 5, target: checkTarget(host, port, socks5Reply(generalFailure)) };
}

async function readSocks4Request(reader: BufferedReader, credentials: Credentials | undefined): Promise<SocksRequest> {
  const refusal = socks4Reply(false);
  const [command, high = 0, low = 0, a = 0, b = 0, c = 0, d = 0] = await reader.exact(7, "a SOCKS4 request");
  await readUntilZero(reader, "user");
  // 4a: an address 0.0.0.x that is not 0.0.0.0 says that a name follows.
  const named = a === 0 && b === 0 && c === 0 && d !== 0;
  const host = named ? await readUntilZero(reader, "host name") : [a, b, c, d].join(".");
  if (credentials) throw new SocksError("The client gave no user and password, for which SOCKS4 has no room", refusal);
  if (command !== 1) throw new SocksError(`SOCKS4 command ${command} is not supported, only CONNECT is`, refusal);
  return { command: "connect", version: 4, target: checkTarget(host, high << 8 | low, refusal) };
}

function checkTarget(text: string, port: number, refusal: Uint8Array): Target {
  const host = parseHostName(text);
  if (host === undefined) throw new SocksError(`Not a host name: ${JSON.stringify(text)}`, refusal);
  if (port === 0) throw new SocksError(`Port 0 of "${host}" cannot be connected to`, refusal);
  return { host, port };
}

function readPort(bytes: Uint8Array): number {
  const [high = 0, low = 0] = bytes;
  return high << 8 | low;
}

/** A byte of length and that much text. */
async function readField(reader: BufferedReader, what: string): Promise<string> {
  const [length = 0] = await reader.exact(1, what);
  return new TextDecoder().decode(await reader.exact(length, what));
}

/** Text up to a zero byte; at most 255 bytes. */
async function readUntilZero(reader: BufferedReader, what: string): Promise<string> {
  for (let seen = 0;;) {
    const end = reader.buffered.subarray(0, 256).indexOf(0, seen);
    if (end >= 0) return new TextDecoder().decode((await reader.exact(end + 1)).subarray(0, end));
    seen = reader.buffered.length;
    if (seen > 255) throw new SocksError(`The SOCKS4 request's ${what} has more than 255 bytes`, socks4Reply(false));
    if (!await reader.fill()) throw new UnexpectedEnd("a SOCKS4 request");
  }
}
