import { Buffer } from "node:buffer";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Packet, type Resource } from "dns2";
import fc from "fast-check";
import { parseQuery, type Query } from "../../src/dns/query.ts";
import type { DnsRecord } from "../../src/dns/record.ts";
import { emptyResponse, encodeInvalid, encodeResponse, payloadLimit } from "../../src/dns/response.ts";
import { queryMessage, readMessage } from "./dns_client.ts";

const whole = { limit: 65535, recursion: false };
const name = "db.dev.svc.cluster.local";

describe("encodeResponse", () => {
  it("writes what dns2 reads back, for records of every type", () => {
    fc.assert(fc.property(fc.array(record(), { maxLength: 20 }), fc.nat(2), (records, section) => {
      const query = parse({ name, type: "ANY" });
      const sections = [[], [], []].map((none, index) => index === section ? records : none);
      const [answers = [], authorities = [], additionals = []] = sections;
      const message = encodeResponse(query, { ...emptyResponse("NOERROR"), answers, authorities, additionals }, whole);
      const packet = Packet.parse(Buffer.from(message));
      assertEquals(packet.errors, []);
      const read = [packet.answers, packet.authorities, packet.additionals][section]!;
      assertEquals(read.map(plain), records.map(plain));
    }));
  });

  it("says who answers, and whether it would ask others", () => {
    const query = parse({ name, type: "A", id: 99 });
    const ours = readMessage(encodeResponse(query, { ...emptyResponse("NXDOMAIN"), authoritative: true }, whole));
    assertEquals([ours.id, ours.rcode, ours.authoritative, ours.recursion], [99, "NXDOMAIN", true, false]);
    const other = readMessage(encodeResponse(query, emptyResponse("SERVFAIL"), { limit: 512, recursion: true }));
    assertEquals([other.rcode, other.authoritative, other.recursion], ["SERVFAIL", false, true]);
  });

  it("echoes the question byte by byte", () => {
    const message = Uint8Array.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4, 65, 46, 0, 98, 0, 0, 1, 0, 1]);
    const query = parseQuery(message);
    assert(query && "question" in query);
    const response = encodeResponse(query, emptyResponse("REFUSED"), whole);
    assertEquals([...response.subarray(12)], [...message.subarray(12)]);
  });

  it("points back to names instead of repeating them, but never in the target of an SRV record", () => {
    const answers: DnsRecord[] = [{ name, ttl: 5, type: "SRV", priority: 0, weight: 1, port: 5, target: name }];
    const additionals: DnsRecord[] = [{ name: `A.${name.toUpperCase()}`, ttl: 5, type: "A", address: "10.0.0.1" }];
    const query = parse({ name, type: "SRV" });
    const message = encodeResponse(query, { ...emptyResponse("NOERROR"), answers, additionals }, whole);
    const wireName = name.length + 2;
    const srv = 2 + 10 + 6 + wireName;
    const address = 2 + 2 + 10 + 4;
    assertEquals(message.length, query.questionEnd + srv + address);
  });

  it("leaves out what does not fit, and says so unless only additional records are missing", () => {
    fc.assert(
      fc.property(fc.array(record(), { maxLength: 60 }), fc.nat(60), fc.integer({ min: 512, max: 4096 }), (
        records,
        split,
        limit,
      ) => {
        const query = parse({ name, type: "ANY", edns: limit });
        const answers = records.slice(0, split);
        const additionals = records.slice(split);
        const message = encodeResponse(query, { ...emptyResponse("NOERROR"), answers, additionals }, {
          limit,
          recursion: false,
        });
        assert(message.length <= limit);
        const read = readMessage(message);
        assertEquals(read.truncated, read.answers.length < answers.length);
        assertEquals(read.additionals.filter((text) => text.includes(" EDNS ")).length, 1);
        if (read.truncated) assertEquals(read.additionals.length, 1);
      }),
    );
  });

  it("tells why to whoever speaks EDNS, and to nobody else", () => {
    const response = emptyResponse("REFUSED", { code: "PROHIBITED", text: "you may not get services" });
    const [option = ""] =
      readMessage(encodeResponse(parse({ name, type: "A", edns: 1232 }), response, whole)).additionals;
    assert(option.includes('"infoCode":18') && option.includes("you may not get services"), option);
    assertEquals(readMessage(encodeResponse(parse({ name, type: "A" }), response, whole)).additionals, []);
  });

  it("puts the upper bits of a response code into the OPT record", () => {
    const query = parse({ name, type: "A", edns: 1232 });
    assert(readMessage(encodeResponse(query, emptyResponse("BADVERS"), whole)).rcode.startsWith("BAD"));
  });
});

describe("encodeInvalid", () => {
  it("answers with a header alone", () => {
    const query = { id: 515, opcode: 5, recursionDesired: true, rcode: "NOTIMP" } as const;
    assertEquals([...encodeInvalid(query)], [2, 3, 0x80 | 5 << 3 | 1, 4, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

describe("payloadLimit", () => {
  it("is what the asker says, between 512 and 4096, and 512 without EDNS", () => {
    const limits = [undefined, 1, 511, 1232, 65535].map((edns) => payloadLimit(parse({ name, type: "A", edns })));
    assertEquals(limits, [512, 512, 512, 1232, 4096]);
  });
});

function parse(asked: Parameters<typeof queryMessage>[0]): Query {
  const query = parseQuery(queryMessage(asked));
  assert(query && "question" in query);
  return query;
}

/** The fields of a record, ours or dns2's. */
function plain(record: DnsRecord | Resource): Record<string, unknown> {
  const type = typeof record.type === "number" ? Packet.typeName(record.type) : record.type;
  return { ...record, class: Packet.CLASS.IN, type };
}

function record(): fc.Arbitrary<DnsRecord> {
  const label = fc.stringMatching(/^[a-z0-9_][a-z0-9-]{0,15}$/);
  const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => `${labels.join(".")}.cluster.local`);
  const number = fc.nat(65535);
  const common = { name, ttl: fc.nat(86400) };
  return fc.oneof(
    fc.record({ ...common, type: fc.constant("A" as const), address: fc.ipV4() }),
    fc.record({
      ...common,
      type: fc.constant("AAAA" as const),
      address: fc.constantFrom("fd00::7", "::1", "1::", "::"),
    }),
    fc.record({ ...common, type: fc.constantFrom("CNAME" as const, "PTR" as const), domain: name }),
    fc.record({
      ...common,
      type: fc.constant("SRV" as const),
      priority: number,
      weight: number,
      port: number,
      target: name,
    }),
    fc.record({
      ...common,
      type: fc.constant("TXT" as const),
      data: fc.array(fc.string({ maxLength: 60 }), { minLength: 1 }),
    }),
    fc.record({
      ...common,
      type: fc.constant("SOA" as const),
      primary: name,
      admin: name,
      serial: number,
      refresh: number,
      retry: number,
      expiration: number,
      minimum: number,
    }),
  );
}
