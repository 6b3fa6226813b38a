import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import { Packet } from "dns2";
import type { Clock } from "../platform/clock.ts";
import { withDeadline } from "../platform/deadline.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import { connectTcp } from "../stream/connect_tcp.ts";
import { headerSize } from "./query.ts";
import type { DnsRecord } from "./record.ts";
import type { Resolver } from "./resolver.ts";

/** Milliseconds for one resolver to answer. */
const attemptTime = 1500;
/** Rounds through the resolvers. */
const rounds = 2;
/** Bytes; a longer list of addresses is not worth reading. */
const longestAddressList = 4096;

/**
 * Asks other resolvers, one after another: over UDP from a new port with a new random id each time (RFC 5452), again over TCP when the
 * answer was cut. Messages pass as they are, so whatever asker and resolver agree on (DNSSEC, new types) works.
 */
export class Forwarder {
  readonly #resolvers: readonly Resolver[];
  readonly #clock: Clock;

  constructor(resolvers: readonly Resolver[], deps: { readonly clock: Clock }) {
    this.#resolvers = resolvers;
    this.#clock = deps.clock;
  }

  /**
   * The answer to a query whose question section ends at `questionEnd`, with the id of the query. A resolver that fails (SERVFAIL) or
   * refuses has its answer passed on only if none does better. Rejects with a sentence when none answers, with the signal's reason
   * when that aborts; takes 3 s for each resolver at most.
   */
  async forward(query: Uint8Array, questionEnd: number, signal: AbortSignal): Promise<Uint8Array> {
    let unhelpful: Uint8Array | undefined;
    let reason: unknown;
    for (let round = 0; round < rounds && !unhelpful; round++) {
      for (const resolver of this.#resolvers) {
        try {
          const answer = await this.#attempt(query, questionEnd, resolver, signal);
          answer.set(query.subarray(0, 2));
          if (!isUnhelpful(answer)) return answer;
          unhelpful ??= answer;
        } catch (error) {
          signal.throwIfAborted();
          reason = error;
        }
      }
    }
    if (unhelpful) return unhelpful;
    const hosts = this.#resolvers.map(({ host }) => host).join(", ");
    throw new Error(`no answer from the DNS servers of this machine (${hosts})`, { cause: reason });
  }

  /** Addresses of a name, with the CNAME records on the way; none where there are none. Rejects as `forward` does. */
  async resolve(name: string, type: "A" | "AAAA", signal: AbortSignal): Promise<readonly DnsRecord[]> {
    const query = new Packet();
    query.header.rd = 1;
    query.questions.push(new Packet.Question(name, Packet.TYPE[type], Packet.CLASS.IN));
    const message = query.toBuffer();
    const answer = await this.forward(message, message.length, signal);
    if (answer.length > longestAddressList) return [];
    return Packet.parse(Buffer.from(answer)).answers.flatMap(({ name, type, ttl, address, domain }): DnsRecord[] => {
      if (type === Packet.TYPE.A && address) return [{ name, ttl, type: "A", address }];
      if (type === Packet.TYPE.AAAA && address) return [{ name, ttl, type: "AAAA", address }];
      if (type === Packet.TYPE.CNAME && domain) return [{ name, ttl, type: "CNAME", domain }];
      return [];
    });
  }

  async #attempt(
    query: Uint8Array,
    questionEnd: number,
    resolver: Resolver,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const ours = query.slice();
    const id = Packet.uuid();
    ours.set([id >> 8, id & 255]);
    const isAnswer = (message: Uint8Array) => answers(message, ours, questionEnd);
    const silent = () => new Error(`${resolver.host} is silent`);
    return await withDeadline(this.#clock, attemptTime, signal, silent, async (signal) => {
      const answer = await askOverUdp(ours, resolver, isAnswer, signal);
      return isTruncated(answer) ? await askOverTcp(ours, resolver, isAnswer, signal) : answer;
    });
  }
}

async function askOverUdp(
  query: Uint8Array,
  { host, port }: Resolver,
  isAnswer: (message: Uint8Array) => boolean,
  signal: AbortSignal,
): Promise<Uint8Array> {
  signal.throwIfAborted();
  const hostname = isIP(host) === 6 ? "::" : "0.0.0.0";
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const close = () => socket.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    await socket.send(query, { transport: "udp", hostname: host, port });
    const buffer = new Uint8Array(65536);
    for (;;) {
      const [message, from] = await socket.receive(buffer);
      // Anybody can send us a datagram; only the one we asked counts.
      if (from.transport === "udp" && from.port === port && from.hostname === host && isAnswer(message)) {
        return message.slice();
      }
    }
  } finally {
    signal.removeEventListener("abort", close);
    if (!signal.aborted) socket.close();
  }
}

async function askOverTcp(
  query: Uint8Array,
  { host, port }: Resolver,
  isAnswer: (message: Uint8Array) => boolean,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const stream = await connectTcp(host, port, signal);
  const close = () => stream.reset();
  signal.addEventListener("abort", close, { once: true });
  try {
    await stream.write(Uint8Array.of(query.length >> 8, query.length & 255, ...query));
    const reader = new BufferedReader(stream, 65535);
    const [high = 0, low = 0] = await reader.exact(2, "a DNS answer");
    const message = await reader.exact(high << 8 | low, "a DNS answer");
    if (!isAnswer(message)) throw new Error(`${host} answered something else`);
    return message.slice();
  } finally {
    signal.removeEventListener("abort", close);
    stream.close();
  }
}

/** Same id, an answer, and the same question in any case (RFC 5452 §9.1); errors may come as a header alone. */
function answers(message: Uint8Array, query: Uint8Array, questionEnd: number): boolean {
  if (message.length < headerSize || message[0] !== query[0] || message[1] !== query[1]) return false;
  if ((message[2]! & 0x80) === 0) return false;
  if (message.length === headerSize) return rcodeOf(message) !== 0;
  for (let at = headerSize; at < questionEnd; at++) {
    if (lowerCase(message[at]) !== lowerCase(query[at])) return false;
  }
  return true;
}

function lowerCase(byte: number | undefined): number | undefined {
  return byte !== undefined && byte >= 65 && byte <= 90 ? byte + 32 : byte;
}

function rcodeOf(message: Uint8Array): number {
  return message[3]! & 15;
}

function isUnhelpful(message: Uint8Array): boolean {
  const rcode = rcodeOf(message);
  return rcode === Packet.RCODE.SERVFAIL || rcode === Packet.RCODE.REFUSED;
}

function isTruncated(message: Uint8Array): boolean {
  return (message[2]! & 2) !== 0;
}
