import { Buffer } from "node:buffer";
import { Packet } from "dns2";

/** What is asked. */
export interface Question {
  /** Presentation format, case as asked, without trailing dot; empty for the root. Bytes other than letters, digits, `-` and `_` are escaped. */
  readonly name: string;
  /** RFC 1035 TYPE. */
  readonly type: number;
  /** RFC 1035 CLASS, 1 for IN. */
  readonly class: number;
}

/** A query with its one question (RFC 1035 §4.1). */
export interface Query {
  /** The message as it came. */
  readonly message: Uint8Array;
  readonly id: number;
  readonly recursionDesired: boolean;
  readonly question: Question;
  /** Where the question section ends in `message`; it starts at {@linkcode headerSize}. */
  readonly questionEnd: number;
  /** RFC 6891; undefined where the asker did not use it. `size` is the UDP payload the asker takes, in bytes. */
  readonly edns: { readonly version: number; readonly size: number; readonly dnssecOk: boolean } | undefined;
}

/** A message that asks for something, but not in a way that can be answered in substance. */
export interface InvalidQuery {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  readonly rcode: "FORMERR" | "NOTIMP";
}

/** Bytes of a message header. */
export const headerSize = 12;
/** Bytes of a query that we read: one question and EDNS options need far less, more is only there to cost us time. */
export const longestQuery = 4096;

/**
 * Reads a query. Total: undefined for what deserves no answer at all (no header, or an answer itself), {@linkcode InvalidQuery}
 * for what cannot be understood.
 */
export function parseQuery(message: Uint8Array): Query | InvalidQuery | undefined {
  if (message.length < headerSize) return undefined;
  const id = message[0]! << 8 | message[1]!;
  const flags = message[2]!;
  const questions = message[4]! << 8 | message[5]!;
  if (flags & 0x80) return undefined;
  const opcode = flags >> 3 & 15;
  const recursionDesired = (flags & 1) !== 0;
  const invalid = (rcode: InvalidQuery["rcode"]) => ({ id, opcode, recursionDesired, rcode });
  if (opcode !== 0) return invalid("NOTIMP");
  if (questions !== 1 || message.length > longestQuery) return invalid("FORMERR");
  const name = readName(message, headerSize);
  if (!name || name.end + 4 > message.length) return invalid("FORMERR");

  const packet = Packet.parse(Buffer.from(message.buffer, message.byteOffset, message.length));
  const [question] = packet.questions;
  const options = packet.additionals.filter((record) => record.type === Packet.TYPE.EDNS);
  if (!question || packet.errors.length > 0 || options.length > 1) return invalid("FORMERR");
  const [edns] = options;
  return {
    message,
    id,
    recursionDesired,
    question: { name: name.text, type: question.type, class: question.class },
    questionEnd: name.end + 4,
    edns: edns && { version: edns.version ?? 0, size: edns.class, dnssecOk: edns.doFlag === true },
  };
}

/**
 * The name at `start`, which nothing precedes that it could point to. dns2 reads names too, but joins labels with plain dots, so
 * that the label `a.b` (common in DNS-SD) and the labels `a`, `b` become one.
 */
function readName(message: Uint8Array, start: number): { text: string; end: number } | undefined {
  const labels: string[] = [];
  let at = start;
  for (let length = message[at]; length !== 0; length = message[at]) {
    if (length === undefined || length > 63 || at + 1 + length > message.length) return undefined;
    labels.push(Array.from(message.subarray(at + 1, at + 1 + length), presentation).join(""));
    at += 1 + length;
    if (at - start > 254) return undefined;
  }
  return { text: labels.join("."), end: at + 1 };
}

function presentation(byte: number): string {
  const character = String.fromCharCode(byte);
  return /[a-z0-9_-]/i.test(character) ? character : `\\${String(byte).padStart(3, "0")}`;
}
