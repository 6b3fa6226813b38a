import { type Header, Packet } from "dns2";
import { MessageWriter } from "./message_writer.ts";
import { headerSize, type InvalidQuery, type Query } from "./query.ts";
import type { DnsRecord } from "./record.ts";

/** What a query is answered with. */
export interface Response {
  readonly rcode: "NOERROR" | "FORMERR" | "SERVFAIL" | "NXDOMAIN" | "NOTIMP" | "REFUSED" | "BADVERS";
  /** Whether we are the ones who know: true for the cluster's names. */
  readonly authoritative: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
  /** More is to be had over TCP. */
  readonly truncated?: boolean;
  /** Why, for people, sent as an Extended DNS Error (RFC 8914) to whoever speaks EDNS; `dig` shows it. */
  readonly explanation?: { readonly code: keyof typeof Packet.EDE; readonly text: string };
}

/** A response without records. */
export function emptyResponse(rcode: Response["rcode"], explanation?: Response["explanation"]): Response {
  return { rcode, authoritative: false, answers: [], authorities: [], additionals: [], explanation };
}

/** Bytes of UDP payload that we take, and that pass every usual network whole. */
const ourPayloadSize = 1232;
/** Characters of an explanation, so that it never costs a record its place. */
const longestExplanation = 160;

/** How many bytes of UDP payload the asker takes: 512 without EDNS (RFC 1035 §4.2.1), else what it says, between 512 and 4096. */
export function payloadLimit(query: Query): number {
  return Math.min(Math.max(query.edns?.size ?? 512, 512), 4096);
}

/**
 * The message for `response` in at most `limit` bytes: what does not fit is left out, and TC set unless only additional records are
 * missing (RFC 2181 §9). The question is echoed byte by byte. `recursion` says whether we answer for names outside the cluster.
 */
export function encodeResponse(
  query: Query,
  response: Response,
  { limit, recursion }: { readonly limit: number; readonly recursion: boolean },
): Uint8Array<ArrayBuffer> {
  const rcode = Packet.RCODE[response.rcode];
  const writer = new MessageWriter();
  writer.append(encodeHeader(query, { rcode, aa: response.authoritative ? 1 : 0, ra: recursion ? 1 : 0, qdcount: 1 }));
  writer.append(query.message.subarray(headerSize, query.questionEnd));
  recordNames(query.question.name, writer);
  const options = query.edns ? encodeOptions(query.edns, rcode, response.explanation) : new Uint8Array(0);

  let truncated = response.truncated ?? false;
  const counts = [0, 0, options.length > 0 ? 1 : 0];
  const sections = [response.answers, response.authorities, response.additionals];
  fill: for (const [index, records] of sections.entries()) {
    for (const record of records) {
      const end = writer.length;
      encodeRecord(record, writer);
      if (writer.length + options.length > limit) {
        writer.cut(end);
        truncated ||= index < 2;
        break fill;
      }
      counts[index]!++;
    }
  }
  writer.append(options);
  writer.patch(22, truncated ? 1 : 0, 1);
  counts.forEach((count, index) => writer.patch(48 + 16 * index, count, 16));
  return writer.bytes;
}

/** The message for a query whose question is not known: a header alone. */
export function encodeInvalid(query: InvalidQuery): Uint8Array {
  return encodeHeader(query, { rcode: Packet.RCODE[query.rcode], opcode: query.opcode });
}

function encodeHeader(
  { id, recursionDesired }: Pick<Query, "id" | "recursionDesired">,
  rest: Partial<Header>,
): Uint8Array {
  return new Packet.Header({ id, qr: 1, rd: recursionDesired ? 1 : 0, ...rest }).toBuffer();
}

/** Tells the compression where the question's name and its parents stand. */
function recordNames(name: string, writer: MessageWriter): void {
  // Escaped labels are longer as text than on the wire, and no record of ours has any.
  if (name.includes("\\")) return;
  for (let start = 0; start >= 0 && start < name.length;) {
    writer.names?.set(name.slice(start).toLowerCase(), headerSize + start);
    const dot = name.indexOf(".", start);
    start = dot < 0 ? -1 : dot + 1;
  }
}

/** The OPT pseudo record of our answer (RFC 6891 §6.1.1): its TTL carries the upper bits of the response code. */
function encodeOptions(
  asked: NonNullable<Query["edns"]>,
  rcode: number,
  explanation: Response["explanation"],
): Uint8Array {
  const options = explanation
    ? [Packet.Resource.EDNS.EDE(Packet.EDE[explanation.code], explanation.text.slice(0, longestExplanation))]
    : [];
  const writer = new MessageWriter();
  Packet.Resource.encode(
    Packet.Resource.EDNS(options, {
      extendedRcode: rcode >> 4,
      doFlag: asked.dnssecOk,
      udpPayloadSize: ourPayloadSize,
    }),
    writer,
  );
  return writer.bytes;
}

function encodeRecord(record: DnsRecord, writer: MessageWriter): void {
  const resource = new Packet.Resource({ ...record, type: Packet.TYPE[record.type], class: Packet.CLASS.IN });
  if (record.type !== "SRV") {
    Packet.Resource.encode(resource, writer);
    return;
  }
  // dns2 compresses the target, which RFC 2782 forbids: some resolvers do not expand it there.
  Packet.Name.encode(record.name, writer);
  writer.write(resource.type, 16);
  writer.write(resource.class, 16);
  writer.write(record.ttl, 32);
  const lengthAt = writer.bitLength();
  writer.write(0, 16);
  for (const value of [record.priority, record.weight, record.port]) writer.write(value, 16);
  const { names } = writer;
  writer.names = undefined;
  Packet.Name.encode(record.target, writer);
  writer.names = names;
  writer.patch(lengthAt, (writer.bitLength() - lengthAt) / 8 - 2, 16);
}
