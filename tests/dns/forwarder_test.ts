import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Packet } from "dns2";
import { Forwarder } from "../../src/dns/forwarder.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { FakeClock } from "../fake_clock.ts";
import { queryMessage, readMessage } from "./dns_client.ts";
import { answerTo, fakeResolver } from "./fake_resolver.ts";

const query = queryMessage({ name: "db.example.com", type: "A", id: 7 });
const signal = new AbortController().signal;

describe("Forwarder.forward", () => {
  it("passes the answer on under the asker's id, having asked under others", async () => {
    await using resolver = await fakeResolver((query) => [address(query, "192.0.2.5")]);
    const forwarder = new Forwarder([resolver], { clock: systemClock });
    for (let turn = 0; turn < 3; turn++) {
      const answer = readMessage(await forwarder.forward(query, query.length, signal));
      assertEquals([answer.id, answer.answers], [7, ["db.example.com A 192.0.2.5"]]);
    }
    const ids = new Set([7, ...resolver.queries.map((asked) => asked[0]! << 8 | asked[1]!)]);
    assert(ids.size > 2, `all ids were among ${[...ids]}`);
    assertEquals(resolver.queries.map((asked) => [...asked.subarray(2)]), new Array(3).fill([...query.subarray(2)]));
  });

  it("takes no answer but its own question's", async () => {
    await using stranger = await fakeResolver(() => []);
    await using resolver = await fakeResolver((query) => {
      const right = address(query, "192.0.2.5");
      const otherId = address(query, "192.0.2.66");
      otherId[1]! ^= 1;
      const otherName = address(query, "192.0.2.67");
      otherName[13]! ^= 1;
      const noAnswer = query;
      return [otherId, otherName, noAnswer, new Uint8Array(5), query.subarray(0, 12), right];
    });
    const forwarder = new Forwarder([resolver], { clock: systemClock });
    const answer = readMessage(await forwarder.forward(query, query.length, signal));
    assertEquals(answer.answers, ["db.example.com A 192.0.2.5"]);
    assertEquals(stranger.queries.length, 0);
  });

  it("takes the question back in another case", async () => {
    await using resolver = await fakeResolver((query) => {
      const message = address(query, "192.0.2.5");
      message[13]! ^= 0x20;
      return [message];
    });
    const answer = await new Forwarder([resolver], { clock: systemClock }).forward(query, query.length, signal);
    assertEquals(readMessage(answer).question, "Db.example.com A");
  });

  it("asks again over TCP when the answer was cut", async () => {
    await using resolver = await fakeResolver((query, transport) => {
      return [transport === "tcp" ? address(query, "192.0.2.5") : answerTo(query, ({ header }) => header.tc = 1)];
    });
    const answer = await new Forwarder([resolver], { clock: systemClock }).forward(query, query.length, signal);
    assertEquals(readMessage(answer).answers, ["db.example.com A 192.0.2.5"]);
    assertEquals(resolver.queries.length, 2);
  });

  it("asks the next resolver when one is silent for 1.5 s", async () => {
    const clock = new FakeClock();
    await using silent = await fakeResolver(() => []);
    await using resolver = await fakeResolver((query) => [address(query, "192.0.2.5")]);
    const answer = new Forwarder([silent, resolver], { clock }).forward(query, query.length, signal);
    await silent.came(1);
    await clock.advance(1499);
    assertEquals(resolver.queries.length, 0);
    await clock.advance(1);
    assertEquals(readMessage(await answer).answers, ["db.example.com A 192.0.2.5"]);
  });

  it("asks the next resolver when one fails or refuses, and passes that on only if none does better", async () => {
    await using failing = await fakeResolver((query) => [answerTo(query, ({ header }) => header.rcode = 2)]);
    await using refusing = await fakeResolver((query) => [answerTo(query, ({ header }) => header.rcode = 5)]);
    await using resolver = await fakeResolver((query) => [address(query, "192.0.2.5")]);
    const rcode = async (resolvers: ConstructorParameters<typeof Forwarder>[0]) => {
      const answer = await new Forwarder(resolvers, { clock: systemClock }).forward(query, query.length, signal);
      return readMessage(answer).rcode;
    };
    assertEquals(await rcode([failing, refusing, resolver]), "NOERROR");
    assertEquals(await rcode([failing, refusing]), "SERVFAIL");
  });

  it("takes a bare header for the refusal it is", async () => {
    await using resolver = await fakeResolver((
      query,
    ) => [Uint8Array.from([...query.subarray(0, 2), 0x80, 5, ...new Array(8).fill(0)])]);
    const answer = await new Forwarder([resolver], { clock: systemClock }).forward(query, query.length, signal);
    assertEquals(readMessage(answer).rcode, "REFUSED");
  });

  it("says who was silent after two rounds", async () => {
    const clock = new FakeClock();
    await using silent = await fakeResolver(() => []);
    const answer = new Forwarder([silent], { clock }).forward(query, query.length, signal);
    const failure = assertRejects(() => answer, Error, "no answer from the DNS servers of this machine (127.0.0.1)");
    await silent.came(1);
    await clock.advance(1500);
    await silent.came(2);
    await clock.advance(1500);
    await failure;
  });

  it("ends when its caller loses interest", async () => {
    await using silent = await fakeResolver(() => []);
    const controller = new AbortController();
    const answer = new Forwarder([silent], { clock: systemClock }).forward(query, query.length, controller.signal);
    const failure = assertRejects(() => answer, Error, "enough");
    await silent.came(1);
    controller.abort(new Error("enough"));
    await failure;
  });
});

describe("Forwarder.resolve", () => {
  it("gives addresses with the aliases on the way", async () => {
    await using resolver = await fakeResolver((query) => [
      answerTo(query, ({ answers }) => {
        const common = { class: Packet.CLASS.IN, ttl: 60 };
        answers.push(
          new Packet.Resource({ ...common, name: "db.example.com", type: Packet.TYPE.CNAME, domain: "a.example.com" }),
          new Packet.Resource({ ...common, name: "a.example.com", type: Packet.TYPE.A, address: "192.0.2.5" }),
          new Packet.Resource({ ...common, name: "a.example.com", type: Packet.TYPE.TXT, data: "no address" }),
        );
      }),
    ]);
    assertEquals(await new Forwarder([resolver], { clock: systemClock }).resolve("db.example.com", "A", signal), [
      { name: "db.example.com", ttl: 60, type: "CNAME", domain: "a.example.com" },
      { name: "a.example.com", ttl: 60, type: "A", address: "192.0.2.5" },
    ]);
  });

  it("reads no endless lists", async () => {
    await using resolver = await fakeResolver((query, transport) => [
      transport === "udp"
        ? answerTo(query, ({ header }) => header.tc = 1)
        : address(query, ...new Array(300).fill("192.0.2.5")),
    ]);
    assertEquals(await new Forwarder([resolver], { clock: systemClock }).resolve("db.example.com", "A", signal), []);
  });
});

function address(query: Uint8Array, ...addresses: string[]): Uint8Array {
  return answerTo(query, ({ questions, answers }) => {
    const [question] = questions;
    assert(question);
    for (const address of addresses) {
      answers.push(new Packet.Resource({ ...question, ttl: 60, address }));
    }
  });
}
