import { BufferedReader } from "../../src/stream/buffered_reader.ts";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import { header, parseResponseHead } from "../../src/stream/http_head.ts";
import { End } from "../stream/end.ts";

/** An answer to an HTTP request. */
export interface Answer {
  readonly status: number;
  /** What hawser says where the answer is its own (`X-Hawser-Error`). */
  readonly error: string | undefined;
  readonly text: string;
}

/** What the test service answers to `GET /`, as far as tests look at it. */
export interface Greeting {
  readonly name: string;
  readonly pod: string;
  readonly host: string;
}

/** Connects to a local port, given up after 30 s. */
export async function open(port: number): Promise<End> {
  return new End(await connectTcp("127.0.0.1", port, AbortSignal.timeout(30_000)));
}

/** Asks a SOCKS5 proxy for a connection by name (RFC 1928); the reply code, and the connection where that is 0. */
export async function socks5(proxy: number, host: string, port: number): Promise<{ code: number; end: End }> {
  const end = await open(proxy);
  const name = new TextEncoder().encode(host);
  await end.send([5, 1, 0, 5, 1, 0, 3, name.length, ...name, port >> 8, port & 255]);
  await end.bytes(2);
  const [, code = -1] = await end.bytes(10);
  if (code !== 0) end.stream.close();
  return { code, end };
}

/** A connection through a SOCKS5 proxy; rejects where there is none to be had. */
export async function through(proxy: number, host: string, port: number): Promise<End> {
  const { code, end } = await socks5(proxy, host, port);
  if (code !== 0) throw new Error(`SOCKS reply ${code} for ${host}:${port}`);
  return end;
}

/** Who answers HTTP at a name, asked through a SOCKS5 proxy. */
export async function greet(proxy: number, host: string, port: number): Promise<Greeting> {
  const end = await through(proxy, host, port);
  try {
    return JSON.parse((await exchange(end, "GET", "/", host)).text);
  } finally {
    end.stream.close();
  }
}

/** Asks an HTTP proxy for a page, in absolute form. */
export async function get(proxy: number, url: string): Promise<Answer> {
  const end = await open(proxy);
  try {
    return await exchange(end, "GET", url, new URL(url).host);
  } finally {
    end.stream.close();
  }
}

/** Asks an HTTP proxy for a tunnel and answers what it says, the tunnel closed again. */
export async function connectMethod(proxy: number, authority: string): Promise<Answer> {
  const end = await open(proxy);
  try {
    return await exchange(end, "CONNECT", authority, authority);
  } finally {
    end.stream.close();
  }
}

/** One request without a body. The whole body of the answer is awaited where its length is given. */
export async function exchange(end: End, method: string, target: string, host: string): Promise<Answer> {
  await end.send(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const reader: BufferedReader = end.reader;
  const { status, headers } = parseResponseHead(await reader.head() ?? new Uint8Array(0));
  const length = Number(header(headers, "content-length") ?? 0);
  return { status, error: header(headers, "x-hawser-error"), text: await end.text(length) };
}
