import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Directory } from "../../src/cluster/directory.ts";
import { type DnsDeps, type DnsOptions, type DnsServer, openDns } from "../../src/dns/open_dns.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { Failure } from "../../src/platform/failure.ts";
import { silentLog } from "../../src/platform/log.ts";
import { BufferedReader } from "../../src/stream/buffered_reader.ts";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import { listenTcp } from "../../src/stream/listen_tcp.ts";
import type { TcpStream } from "../../src/stream/tcp_stream.ts";
import { FakeClock } from "../fake_clock.ts";
import { askTcp, askUdp, queryMessage, readMessage } from "./dns_client.ts";
import { endpoint, fakeDirectory, service } from "./fake_directory.ts";
import { answerTo, fakeResolver } from "./fake_resolver.ts";

const many = Array.from({ length: 100 }, (_, at) => endpoint([`10.244.1.${at}`]));
const directory = fakeDirectory({
  services: [
    [service("orders", { clusterIPs: ["10.96.0.7"] })],
    [service("many", { kind: "Headless" }), ...many],
  ],
});
const orders = queryMessage({ name: "orders", type: "A" });

describe("openDns", () => {
  it("answers over UDP and TCP on one port, on loopback only", async () => {
    await using dns = await open();
    assertEquals(dns.host, "127.0.0.1");
    const udp = await askUdp(dns.port, orders);
    const [tcp] = await askTcp(dns.port, [orders]);
    assertEquals(udp.answers, ["orders A 10.96.0.7"]);
    assertEquals(tcp, udp);
    assertEquals([udp.authoritative, udp.recursion, udp.truncated], [true, false, false]);
  });

  it("cuts what the asker cannot take over UDP, and gives all of it over TCP", async () => {
    await using dns = await open();
    const small = await askUdp(dns.port, queryMessage({ name: "many", type: "A" }));
    assert(small.truncated && small.answers.length > 20 && small.answers.length < 100, String(small.answers.length));
    const large = await askUdp(dns.port, queryMessage({ name: "many", type: "A", edns: 4096 }));
    assertEquals([large.truncated, large.answers.length], [false, 100]);
    const [whole] = await askTcp(dns.port, [queryMessage({ name: "many", type: "A" })]);
    assertEquals([whole?.truncated, whole?.answers.length], [false, 100]);
  });

  it("says which version of EDNS it knows", async () => {
    await using dns = await open();
    const query = queryMessage({ name: "orders", type: "A", edns: 1232 });
    query[query.length - 5] = 1;
    assertStringIncludes((await askUdp(dns.port, query)).rcode, "BAD");
  });

  it("answers on after garbage", async () => {
    await using dns = await open();
    const broken = orders.slice(0, 16);
    assertEquals((await askUdp(dns.port, broken)).rcode, "FORMERR");
    const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    for (const garbage of [new Uint8Array(0), new Uint8Array(3), new Uint8Array(9000).fill(255)]) {
      await socket.send(garbage, { transport: "udp", hostname: "127.0.0.1", port: dns.port });
    }
    socket.close();
    const [refused, fine] = await askTcp(dns.port, [broken, orders]);
    assertEquals([refused?.rcode, fine?.rcode], ["FORMERR", "NOERROR"]);
    assertEquals((await askUdp(dns.port, orders)).rcode, "NOERROR");
  });

  it("hands over no whole zones", async () => {
    await using dns = await open();
    const [answer] = await askTcp(dns.port, [queryMessage({ name: "cluster.local", type: "AXFR" })]);
    assertEquals(answer?.rcode, "REFUSED");
  });

  it("answers the queries of a connection as they are ready", async () => {
    const slow = Promise.withResolvers<void>();
    const lookup: Directory["lookup"] = async (host, signal) => {
      if (host === "many") await slow.promise;
      return await directory.lookup(host, signal);
    };
    await using dns = await open({}, { directory: { ...directory, lookup } });
    const stream = await connect(dns);
    await stream.write(
      framed(queryMessage({ name: "many", type: "A", id: 1 }), queryMessage({ name: "orders", type: "A", id: 2 })),
    );
    const reader = new BufferedReader(stream, 65535);
    assertEquals((await next(reader)).id, 2);
    slow.resolve();
    assertEquals((await next(reader)).id, 1);
    stream.close();
  });

  it("works on 16 queries of a connection at a time, and answers all", async () => {
    let underWay = 0;
    let most = 0;
    const lookup: Directory["lookup"] = async (host, signal) => {
      most = Math.max(most, ++underWay);
      await systemClock.sleep(1, signal);
      underWay--;
      return await directory.lookup(host, signal);
    };
    await using dns = await open({}, { directory: { ...directory, lookup } });
    const answers = await askTcp(dns.port, new Array(60).fill(orders));
    assertEquals([answers.length, most], [60, 16]);
  });

  it("answers a connection that has ended its own direction", async () => {
    await using dns = await open();
    const stream = await connect(dns);
    await stream.write(framed(orders));
    await stream.closeWrite();
    const reader = new BufferedReader(stream, 65535);
    assertEquals((await next(reader)).rcode, "NOERROR");
    assertEquals(await reader.fill(), false);
    stream.close();
  });

  it("closes a connection that sends no whole query for 10 s", async () => {
    const clock = new FakeClock();
    await using dns = await open({}, { clock });
    const stream = await connect(dns);
    const reader = new BufferedReader(stream, 65535);
    await stream.write(framed(orders));
    await next(reader);
    await stream.write(framed(orders).subarray(0, 5));
    await clock.advance(10_000);
    await assertRejects(() => reader.fill());
    stream.close();
    assertEquals((await askUdp(dns.port, orders)).rcode, "NOERROR");
  });

  it("says SERVFAIL and why when the directory fails", async () => {
    await using dns = await open({}, {
      directory: fakeDirectory({ services: [], failure: new Error("the API server is away") }),
    });
    const answer = await askUdp(dns.port, queryMessage({ name: "orders", type: "A", edns: 1232 }));
    assertEquals(answer.rcode, "SERVFAIL");
    assertStringIncludes(answer.additionals.join(), "the API server is away");
  });

  it("says SERVFAIL when the directory takes more than 5 s", async () => {
    const clock = new FakeClock();
    const asked = Promise.withResolvers<void>();
    const lookup: Directory["lookup"] = (_, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        asked.resolve();
      });
    await using dns = await open({}, { clock, directory: { ...directory, lookup } });
    const answer = askUdp(dns.port, queryMessage({ name: "orders", type: "A", edns: 1232 }));
    await asked.promise;
    await clock.advance(5000);
    assertEquals((await answer).rcode, "SERVFAIL");
    assertStringIncludes((await answer).additionals.join(), "no answer within 5 s");
  });

  it("answers with the tool's own address where it listens for a service", async () => {
    await using dns = await open({}, { localAddress: ({ name }) => name === "orders" ? "127.77.0.7" : undefined });
    assertEquals((await askUdp(dns.port, orders)).answers, ["orders A 127.77.0.7"]);
  });

  it("refuses other names, and says how they could be had", async () => {
    await using dns = await open();
    const answer = await askUdp(dns.port, queryMessage({ name: "www.example.com", type: "A", edns: 1232 }));
    assertEquals([answer.rcode, answer.authoritative], ["REFUSED", false]);
    assertStringIncludes(answer.additionals.join(), "--dns-forward");
  });

  it("asks others for other names where it may, and only for those", async () => {
    await using resolver = await fakeResolver((query) => [answerTo(query, ({ header }) => header.ra = 1)]);
    await using dns = await open({ forwardTo: [resolver] });
    const other = await askUdp(dns.port, queryMessage({ name: "www.example.com", type: "CAA", id: 77 }));
    assertEquals([other.id, other.rcode, other.question], [77, "NOERROR", "www.example.com CAA"]);
    const ours = await askUdp(dns.port, orders);
    assertEquals([ours.rcode, ours.recursion], ["NOERROR", true]);
    assertEquals(resolver.queries.length, 1);
  });

  it("says that there is more when another's answer is longer than the asker takes", async () => {
    await using resolver = await fakeResolver((query, transport) => {
      return [transport === "udp" ? answerTo(query, ({ header }) => header.tc = 1) : padded(query)];
    });
    await using dns = await open({ forwardTo: [resolver] });
    const query = queryMessage({ name: "www.example.com", type: "TXT" });
    const cut = await askUdp(dns.port, query);
    assertEquals([cut.truncated, cut.question, cut.answers], [true, "www.example.com TXT", []]);
    const [whole] = await askTcp(dns.port, [query]);
    assertEquals([whole?.truncated, whole?.answers.length], [false, 1]);
  });

  it("does not ask itself", async () => {
    const { port, close } = await open();
    await close();
    await using dns = await open({ port, forwardTo: [{ host: "127.0.0.1", port }] });
    assertEquals((await askUdp(dns.port, queryMessage({ name: "www.example.com", type: "A" }))).rcode, "REFUSED");
  });

  it("names a port that is taken for either protocol, and says what to do", async () => {
    const udp = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const tcp = await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => stream.close());
    for (const { port } of [udp.addr as Deno.NetAddr, tcp]) {
      const failure = await assertRejects(() => open({ port }), Failure);
      assertStringIncludes(failure.message, `Port ${port} on 127.0.0.1 is taken`);
      assertStringIncludes(failure.message, "--dns-port");
    }
    udp.close();
    await tcp.close();
  });

  it("says that an address is not this machine's", async () => {
    await assertRejects(() => open({ host: "192.0.2.1" }), Failure, "192.0.2.1 is no address of this machine");
  });

  it("closes at once, whatever is under way, and frees the port", async () => {
    const lookup: Directory["lookup"] = (_, signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const dns = await open({}, { directory: { ...directory, lookup } });
    const stream = await connect(dns);
    await stream.write(framed(orders));
    await dns.close();
    await dns.close();
    const reader = new BufferedReader(stream, 1024);
    await reader.fill().catch(() => {});
    assertEquals(reader.buffered.length, 0);
    stream.close();
    await using again = await open({ port: dns.port });
    assertEquals((await askUdp(again.port, orders)).rcode, "NOERROR");
  });
});

async function open(
  options: Partial<DnsOptions> = {},
  deps: Partial<DnsDeps> = {},
): Promise<DnsServer & AsyncDisposable> {
  const dns = await openDns({ port: 0, ...options }, { directory, clock: systemClock, log: silentLog, ...deps });
  return { ...dns, [Symbol.asyncDispose]: () => dns.close() };
}

function connect({ port }: DnsServer): Promise<TcpStream> {
  return connectTcp("127.0.0.1", port, new AbortController().signal);
}

function framed(...messages: Uint8Array[]): Uint8Array {
  return Uint8Array.from(messages.flatMap((one) => [one.length >> 8, one.length & 255, ...one]));
}

async function next(reader: BufferedReader) {
  const [high = 0, low = 0] = await reader.exact(2);
  return readMessage(await reader.exact(high << 8 | low));
}

/** An answer of more than 600 bytes. */
function padded(query: Uint8Array): Uint8Array {
  return answerTo(query, (packet) => {
    const [question] = packet.questions;
    assert(question);
    packet.answers.push(Object.assign({ ...question, ttl: 5 }, { data: new Array(3).fill("x".repeat(200)) }));
  });
}
