import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { type InvalidQuery, parseQuery, type Query } from "../../src/dns/query.ts";
import { queryMessage } from "./dns_client.ts";

describe("parseQuery", () => {
  it("reads the question in the case asked, and what the asker can take", () => {
    const message = queryMessage({ name: "MySQL.Dev.svc", type: "AAAA", id: 4711, edns: 1400 });
    const query = valid(message);
    assertEquals(query.question, { name: "MySQL.Dev.svc", type: 28, class: 1 });
    assertEquals([query.id, query.recursionDesired], [4711, true]);
    assertEquals(query.edns, { version: 0, size: 1400, dnssecOk: false });
    assertEquals(query.questionEnd, message.length - 11);
    assertEquals(valid(queryMessage({ name: "a", type: "A" })).edns, undefined);
  });

  it("keeps labels with a dot inside apart from two labels", () => {
    const message = Uint8Array.from([...header(), 3, 97, 46, 98, 1, 99, 0, 0, 1, 0, 1]);
    assertEquals(valid(message).question.name, "a\\046b.c");
  });

  it("reads a question for the root", () => {
    assertEquals(valid(Uint8Array.from([...header(), 0, 0, 6, 0, 1])).question.name, "");
  });

  it("gives no answer to what has no header or is an answer itself", () => {
    assertEquals(parseQuery(new Uint8Array(11)), undefined);
    const answer = queryMessage({ name: "a", type: "A" });
    answer[2]! |= 0x80;
    assertEquals(parseQuery(answer), undefined);
  });

  it("calls malformed messages FORMERR, with their id", () => {
    const message = queryMessage({ name: "orders.dev", type: "A", id: 258, edns: 1232 });
    const questionEnd = 12 + 12 + 4;
    const option = [...message.subarray(questionEnd)];
    const cases: Record<string, Uint8Array> = {
      "ends in the header's promise": message.subarray(0, 12),
      "ends in the name": message.subarray(0, 16),
      "ends in the type": message.subarray(0, questionEnd - 3),
      "ends in the OPT record": message.subarray(0, message.length - 4),
      "two questions": set(message, { 5: 2 }),
      "no question": set(message, { 5: 0 }),
      "a pointer for a name": Uint8Array.from([...message.subarray(0, 12), 0xc0, 0x0c, 0, 1, 0, 1]),
      "a reserved label type": set(message, { 12: 0x46 }),
      "two OPT records": Uint8Array.from([...set(message, { 11: 2 }), ...option]),
      "an answer that is not there": set(message, { 7: 9 }),
      "too long": Uint8Array.from([...message, ...new Uint8Array(4096)]),
      "a name of 256 bytes": Uint8Array.from([
        ...header(),
        ...new Array(4).fill([63, ...new Array(63).fill(97)]).flat(),
        ...[0, 0, 1, 0, 1],
      ]),
    };
    for (const [what, bytes] of Object.entries(cases)) {
      assertEquals(
        parseQuery(bytes),
        { id: what === "a name of 256 bytes" ? 1 : 258, opcode: 0, recursionDesired: true, rcode: "FORMERR" },
        what,
      );
    }
  });

  it("says NOTIMP to other operations than queries", () => {
    const update = queryMessage({ name: "cluster.local", type: "SOA" });
    update[2] = 5 << 3;
    assertEquals(parseQuery(update), { id: 7, opcode: 5, recursionDesired: false, rcode: "NOTIMP" });
  });

  it("reads what dns2 writes, for any name", () => {
    const label = fc.string({ unit: fc.constantFrom(..."abcXYZ019-_"), minLength: 1, maxLength: 63 });
    const name = fc.array(label, { minLength: 1, maxLength: 12 })
      .map((labels) => labels.join(".")).filter((name) => name.length <= 253);
    fc.assert(fc.property(name, fc.integer({ min: 0, max: 65535 }), (name, id) => {
      const query = valid(queryMessage({ name, type: "SRV", id }));
      assertEquals([query.question.name, query.id], [name, id]);
    }));
  });

  it("never throws, whatever the bytes", () => {
    const base = queryMessage({ name: "orders.dev.svc.cluster.local", type: "A", edns: 1232 });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseQuery(bytes)));
    const changes = fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(fc.property(changes, fc.nat(base.length), (changes, length) => {
      parseQuery(set(base, Object.fromEntries(changes)).subarray(0, length));
    }));
  });
});

function valid(message: Uint8Array): Query {
  const query: Query | InvalidQuery | undefined = parseQuery(message);
  assert(query && "question" in query);
  return query;
}

/** Id 1, recursion desired, one question. */
function header(): number[] {
  return [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
}

function set(message: Uint8Array, changes: Record<number, number>): Uint8Array {
  const copy = message.slice();
  for (const [at, value] of Object.entries(changes)) copy[Number(at)] = value;
  return copy;
}
