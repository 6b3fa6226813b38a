import { Buffer } from "node:buffer";
import { Packet, type Resource } from "dns2";
import { BufferedReader } from "../../src/stream/buffered_reader.ts";
import { connectTcp } from "../../src/stream/connect_tcp.ts";

/** A question as tests ask it. */
export interface Asked {
  readonly name: string;
  readonly type: keyof typeof Packet.TYPE;
  readonly id?: number;
  /** UDP payload size of an OPT record; none by default. */
  readonly edns?: number;
}

/** An answer, its records as text like `A 10.96.0.7`, sorted and without TTLs. */
export interface Seen {
  readonly id: number;
  readonly rcode: string;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursion: boolean;
  readonly question: string;
  readonly answers: readonly string[];
  readonly authorities: readonly string[];
  readonly additionals: readonly string[];
}

/** The message for a question. */
export function queryMessage({ name, type, id = 7, edns }: Asked): Uint8Array<ArrayBuffer> {
  const packet = new Packet();
  packet.header.id = id;
  packet.header.rd = 1;
  packet.questions.push(new Packet.Question(name, Packet.TYPE[type], Packet.CLASS.IN));
  if (edns !== undefined) packet.additionals.push(Packet.Resource.EDNS([], { udpPayloadSize: edns }));
  return Uint8Array.from(packet.toBuffer());
}

/** Reads a message by dns2's own decoder; throws where any part of it is not well formed. */
export function readMessage(message: Uint8Array): Seen {
  const packet = Packet.parse(Buffer.from(message));
  if (packet.errors.length > 0) throw packet.errors[0];
  const { header, questions } = packet;
  const rcode = Object.entries(Packet.RCODE).find(([, code]) => code === header.rcode)?.[0] ?? String(header.rcode);
  return {
    id: header.id,
    rcode,
    authoritative: header.aa === 1,
    truncated: header.tc === 1,
    recursion: header.ra === 1,
    question: questions.map(({ name, type }) => `${name} ${Packet.typeName(type)}`).join(),
    answers: packet.answers.map(recordText).sort(),
    authorities: packet.authorities.map(recordText).sort(),
    additionals: packet.additionals.map(recordText).sort(),
  };
}

/** Asks over UDP. */
export async function askUdp(port: number, message: Uint8Array): Promise<Seen> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  try {
    await socket.send(message, { transport: "udp", hostname: "127.0.0.1", port });
    const [answer] = await socket.receive();
    return readMessage(answer);
  } finally {
    socket.close();
  }
}

/** Asks over TCP: all messages in one write, then as many answers, in the order they come. */
export async function askTcp(port: number, messages: readonly Uint8Array[]): Promise<Seen[]> {
  const stream = await connectTcp("127.0.0.1", port, new AbortController().signal);
  try {
    await stream.write(Uint8Array.from(messages.flatMap((one) => [one.length >> 8, one.length & 255, ...one])));
    const reader = new BufferedReader(stream, 65535);
    const answers: Seen[] = [];
    while (answers.length < messages.length) {
      const [high = 0, low = 0] = await reader.exact(2);
      answers.push(readMessage(await reader.exact(high << 8 | low)));
    }
    return answers;
  } finally {
    stream.close();
  }
}

function recordText(record: Resource): string {
  return `${record.name} ${Packet.typeName(record.type)} ${dataText(record)}`;
}

function dataText({ type, address, domain, priority, weight, port, target, data, primary, rdata }: Resource): string {
  switch (type) {
    case Packet.TYPE.A:
    case Packet.TYPE.AAAA:
      return String(address);
    case Packet.TYPE.CNAME:
    case Packet.TYPE.PTR:
      return String(domain);
    case Packet.TYPE.SRV:
      return `${priority} ${weight} ${port} ${target}`;
    case Packet.TYPE.TXT:
      return JSON.stringify(data);
    case Packet.TYPE.SOA:
      return String(primary);
    case Packet.TYPE.EDNS:
      return JSON.stringify(rdata);
    default:
      throw new Error(`the test client cannot read type ${type}`);
  }
}
