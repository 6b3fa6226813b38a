import { assert, assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { formatIp, parseIp } from "../../src/platform/ip_address.ts";
import {
  type Credentials,
  readSocksRequest,
  SocksError,
  socksReply,
  type SocksRequest,
} from "../../src/proxy/socks.ts";
import { BufferedReader, UnexpectedEnd } from "../../src/stream/buffered_reader.ts";
import { readAll, scriptedSource } from "../stream/scripted_source.ts";

const encode = (text: string) => [...new TextEncoder().encode(text)];
const named = (text: string) => [encode(text).length, ...encode(text)];

/** A client that sends `bytes` in pieces of at most `piece`, then ends. */
async function ask(
  bytes: readonly number[],
  { credentials, piece = bytes.length }: { credentials?: Credentials; piece?: number } = {},
): Promise<{ request: Extract<SocksRequest, { command: "connect" }>; answers: number[]; rest: number[] }> {
  const reader = new BufferedReader(scriptedSource(Uint8Array.from(bytes), [piece]));
  const answers: number[] = [];
  const client = {
    write(data: Uint8Array) {
      answers.push(...data);
      return Promise.resolve();
    },
  };
  const request = await readSocksRequest(reader, client, credentials);
  assert(request.command === "connect");
  return { request, answers, rest: [...await readAll(reader)] };
}

async function refusal(bytes: readonly number[], credentials?: Credentials): Promise<SocksError> {
  return await assertRejects(() => ask(bytes, { credentials }), SocksError);
}

const noPassword = [5, 1, 0];
const toName = [5, 1, 0, 3, ...named("orders.dev"), 0x1f, 0x90];

describe("readSocksRequest, version 5", () => {
  it("reads names, IPv4 and IPv6 addresses", async () => {
    for (
      const [address, host] of [
        [[3, ...named("orders.dev")], "orders.dev"],
        [[3, ...named("Orders.Dev.")], "Orders.Dev."],
        [[3, ...named("10.1.2.3")], "10.1.2.3"],
        [[3, ...named("fd00::1")], "fd00::1"],
        [[3, ...named("[fd00::1]")], "fd00::1"],
        [[3, ...named("bücher.example")], "xn--bcher-kva.example"],
        [[1, 10, 96, 0, 1], "10.96.0.1"],
        [[4, ...parseIp("fd00::96:1")!], "fd00::96:1"],
        [[4, ...parseIp("::ffff:10.1.2.3")!], "10.1.2.3"],
      ] as const
    ) {
      const { request, answers } = await ask([...noPassword, 5, 1, 0, ...address, 0x1f, 0x90]);
      assertEquals(request, { command: "connect", version: 5, target: { host, port: 8080 } });
      assertEquals(answers, [5, 0]);
    }
  });

  it("leaves what follows the request, and takes it in pieces of any size", async () => {
    const bytes = [...noPassword, ...toName, ...encode("GET / HTTP/1.1")];
    for (let piece = 1; piece <= bytes.length; piece++) {
      const { request, rest } = await ask(bytes, { piece });
      assertEquals(request.target, { host: "orders.dev", port: 8080 });
      assertEquals(rest, encode("GET / HTTP/1.1"));
    }
  });

  it("prefers no password, accepts any where none is asked for, and says when it knows none of the ways", async () => {
    assertEquals((await ask([5, 2, 2, 0, ...toName])).answers, [5, 0]);
    const login = [1, ...named("java"), ...named("x")];
    assertEquals((await ask([5, 1, 2, ...login, ...toName])).answers, [5, 2, 1, 0]);
    assertEquals((await ask([5, 1, 2, 1, 0, 0, ...toName])).answers, [5, 2, 1, 0]);
    assertEquals([...(await refusal([5, 1, 1, ...toName])).reply], [5, 0xff]);
    assertEquals([...(await refusal([5, 0, ...toName])).reply], [5, 0xff]);
  });

  it("asks for user and password where they are required, and takes only the right ones", async () => {
    const credentials = { username: "hawser", password: "sésame" };
    const login = (user: string, password: string) => [5, 2, 0, 2, 1, ...named(user), ...named(password), ...toName];
    assertEquals((await ask(login("hawser", "sésame"), { credentials })).answers, [5, 2, 1, 0]);
    for (
      const [user, password] of [["hawser", "x"], ["x", "sésame"], ["", ""], ["hawser", "sésame0"], [
        "hawser",
        "sésam",
      ]] as const
    ) {
      assertEquals([...(await refusal(login(user, password), credentials)).reply], [1, 1], `${user}:${password}`);
    }
    assertEquals([...(await refusal([...noPassword, ...toName], credentials)).reply], [5, 0xff]);
  });

  it("answers 7 to BIND, UDP ASSOCIATE and Tor's RESOLVE, and 8 to unknown address types", async () => {
    for (const command of [2, 3, 0xf0, 0xf1]) {
      const error = await refusal([...noPassword, 5, command, 0, 1, 10, 0, 0, 1, 0, 80]);
      assertEquals([...error.reply], [5, 7, 0, 1, 0, 0, 0, 0, 0, 0]);
      assertStringIncludes(error.message, command === 3 ? "--relay" : `command ${command}`);
    }
    assertEquals([...(await refusal([...noPassword, 5, 1, 0, 2, 1, 2, 3, 4, 0, 80])).reply], [
      5,
      8,
      0,
      1,
      0,
      0,
      0,
      0,
      0,
      0,
    ]);
  });

  it("refuses names that would be syntax elsewhere, and port 0", async () => {
    for (const name of ["", "a b", "a\r\nX: y", "a/b", "a@b", "a:80", "-\0", "[10.0.0.1]", "x".repeat(255)]) {
      assertEquals((await refusal([...noPassword, 5, 1, 0, 3, ...named(name), 0, 80])).reply[1], 1, name);
    }
    assertEquals((await refusal([...noPassword, 5, 1, 0, 1, 10, 0, 0, 1, 0, 0])).reply[1], 1);
  });

  it("says nothing to a client that changes its version in the middle", async () => {
    assertEquals((await refusal([...noPassword, 4, 1, 0, 1, 10, 0, 0, 1, 0, 80])).reply.length, 0);
  });
});

describe("readSocksRequest, version 4", () => {
  it("reads addresses, and names behind the user (4a)", async () => {
    const byAddress = await ask([4, 1, 0, 80, 10, 96, 0, 1, ...encode("jane"), 0]);
    assertEquals(byAddress.request, { command: "connect", version: 4, target: { host: "10.96.0.1", port: 80 } });
    const byName = await ask([4, 1, 0, 80, 0, 0, 0, 7, ...encode("jane"), 0, ...encode("orders.dev"), 0, 1, 2]);
    assertEquals(byName.request, { command: "connect", version: 4, target: { host: "orders.dev", port: 80 } });
    assertEquals(byName.rest, [1, 2]);
    assertEquals(byName.answers, []);
  });

  it("takes it in pieces of any size", async () => {
    const bytes = [4, 1, 0, 80, 0, 0, 0, 1, ...encode("jane"), 0, ...encode("orders"), 0, ...encode("PING")];
    for (let piece = 1; piece <= bytes.length; piece++) {
      const { request, rest } = await ask(bytes, { piece });
      assertEquals(request.target, { host: "orders", port: 80 });
      assertEquals(rest, encode("PING"));
    }
  });

  it("refuses BIND, long users and names, names without end, and clients without password where one is required", async () => {
    const rejected = [0, 91, 0, 0, 0, 0, 0, 0];
    assertEquals([...(await refusal([4, 2, 0, 80, 10, 0, 0, 1, 0])).reply], rejected);
    assertEquals([...(await refusal([4, 1, 0, 80, 10, 0, 0, 1, ...encode("x".repeat(256)), 0])).reply], rejected);
    assertEquals([...(await refusal([4, 1, 0, 80, 0, 0, 0, 1, 0, ...encode("x".repeat(1000)), 0])).reply], rejected);
    assertEquals([...(await refusal([4, 1, 0, 80, 0, 0, 0, 1, 0, 0])).reply], rejected);
    await assertRejects(() => ask([4, 1, 0, 80, 0, 0, 0, 1, 0, ...encode("orders")]), UnexpectedEnd);
    const credentials = { username: "u", password: "p" };
    assertEquals([...(await refusal([4, 1, 0, 80, 10, 0, 0, 1, 0], credentials)).reply], rejected);
  });
});

describe("readSocksRequest", () => {
  it("never fails in any other way, whatever it is sent", async () => {
    const start = fc.constantFrom<readonly number[]>([], [4], [4, 1], [5], noPassword, [5, 1, 2, 1], [
      ...noPassword,
      5,
      1,
      0,
      3,
    ], [
      4,
      1,
      0,
      80,
      0,
      0,
      0,
      1,
    ]);
    await fc.assert(
      fc.asyncProperty(
        start,
        fc.array(fc.nat(255), { maxLength: 700 }),
        fc.integer({ min: 1, max: 99 }),
        async (head, rest, piece) => {
          try {
            const { request } = await ask([...head, ...rest], { piece });
            assert(request.target.port > 0 && request.target.host.length > 0);
            assert(/^[\w.:-]+$/.test(request.target.host), request.target.host);
          } catch (error) {
            if (!(error instanceof UnexpectedEnd)) assertInstanceOf(error, SocksError);
          }
        },
      ),
    );
  });

  it("gives back any address and port", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65535 }), async (text, port) => {
        const address = parseIp(text)!;
        const { request } = await ask([
          ...noPassword,
          5,
          1,
          0,
          address.length === 4 ? 1 : 4,
          ...address,
          port >> 8,
          port & 255,
        ]);
        assertEquals(request.target, { host: formatIp(address), port });
      }),
    );
  });
});

describe("socksReply", () => {
  it("has RFC 1928's code for every outcome", () => {
    const code = (outcome: Parameters<typeof socksReply>[1]) => socksReply(5, outcome)[1];
    assertEquals(code("granted"), 0);
    assertEquals(code("unsupported"), 1);
    assertEquals(code("forbidden"), 2);
    assertEquals(code("unreachable"), 3);
    assertEquals(code("unknown"), 4);
    assertEquals(code("refused"), 5);
    assertEquals(code("not-ready"), 5);
    assertEquals(code("timeout"), 6);
    assertEquals([...socksReply(5, "refused")], [5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
  });

  it("has SOCKS4's two", () => {
    assertEquals([...socksReply(4, "granted")], [0, 90, 0, 0, 0, 0, 0, 0]);
    assertEquals([...socksReply(4, "timeout")], [0, 91, 0, 0, 0, 0, 0, 0]);
  });
});
