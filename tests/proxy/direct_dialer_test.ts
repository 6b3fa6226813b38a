import { assertEquals, assertFalse, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ProxySettings } from "../../src/platform/proxy_settings.ts";
import { DirectDialer } from "../../src/proxy/direct_dialer.ts";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import { listenTcp } from "../../src/stream/listen_tcp.ts";
import { DialError, type DialErrorKind } from "../../src/tunnel/dialer.ts";
import { FakeClock } from "../fake_clock.ts";
import { readAll } from "../stream/scripted_source.ts";
import type { End } from "../stream/end.ts";
import { withFrontDoor } from "./front_door.ts";

const signal = new AbortController().signal;
const none = new ProxySettings({});
const hello = (end: End) => end.send("hello");

async function code(error: unknown, target = { host: "db.corp", port: 5432 }): Promise<DialError> {
  const dialer = new DirectDialer({ settings: none, connect: () => Promise.reject(error) });
  return await assertRejects(() => dialer.dial(target, { signal }), DialError);
}

describe("DirectDialer without a proxy", () => {
  it("connects", async () => {
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => stream.close());
    const stream = await new DirectDialer({ settings: none }).dial({ host: "127.0.0.1", port: listener.port }, {
      signal,
    });
    assertEquals(await stream.read(new Uint8Array(1)), null);
    stream.close();
    await listener.close();
  });

  it("tells a refused connection and an unknown name from the system's own errors", async () => {
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, () => {});
    await listener.close();
    const dialer = new DirectDialer({ settings: none });
    const refused = await assertRejects(
      () => dialer.dial({ host: "127.0.0.1", port: listener.port }, { signal }),
      DialError,
    );
    assertEquals(refused.kind, "refused");
    assertStringIncludes(refused.message, `"127.0.0.1:${listener.port}" refused the connection`);
    const unknown = await assertRejects(
      () => dialer.dial({ host: "no-such-name.invalid", port: 80 }, { signal }),
      DialError,
    );
    assertEquals(unknown.kind, "unknown");
  });

  it("has a kind for each of the system's errors", async () => {
    const kinds: Record<string, DialErrorKind> = {
      ECONNREFUSED: "refused",
      ENOTFOUND: "unknown",
      EAI_AGAIN: "unknown",
      ETIMEDOUT: "timeout",
      EHOSTUNREACH: "unreachable",
      ENETUNREACH: "unreachable",
      ESOMETHING: "unreachable",
    };
    for (const [name, kind] of Object.entries(kinds)) {
      const error = await code(Object.assign(new Error(name), { code: name }));
      assertEquals(error.kind, kind, name);
      assertStringIncludes(error.message, '"db.corp:5432"');
    }
    assertStringIncludes((await code(new Error("x"), { host: "fd00::1", port: 80 })).message, '"[fd00::1]:80"');
  });

  it("gives up after 20 s", async () => {
    const clock = new FakeClock();
    const connect = (_host: string, _port: number, signal: AbortSignal) =>
      new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const dialing = assertRejects(
      () => new DirectDialer({ settings: none, connect, clock }).dial({ host: "x", port: 1 }, { signal }),
      DialError,
    );
    await clock.advance(20_000);
    assertEquals((await dialing).kind, "timeout");
    assertEquals(clock.pending, 0);
  });

  it("gives up with its caller", async () => {
    const controller = new AbortController();
    controller.abort(new Error("enough"));
    await assertRejects(
      () => new DirectDialer({ settings: none }).dial({ host: "127.0.0.1", port: 1 }, { signal: controller.signal }),
      Error,
      "enough",
    );
  });
});

describe("DirectDialer with the user's own proxy", () => {
  it("goes through HTTP and SOCKS proxies, by name", async () => {
    await withFrontDoor({ "db.corp": hello }, async ({ proxy, dialled }) => {
      for (const scheme of ["http", "socks5h", "socks5", "socks4a"]) {
        const settings = new ProxySettings({ ALL_PROXY: `${scheme}://127.0.0.1:${proxy.port}` });
        const stream = await new DirectDialer({ settings }).dial({ host: "db.corp", port: 5432 }, { signal });
        assertEquals(new TextDecoder().decode(await readAll(stream)), "hello", scheme);
        stream.close();
      }
      assertEquals(dialled.map(({ host, port }) => `${host}:${port}`), new Array(4).fill("db.corp:5432"));
    });
  });

  it("keeps the kinds of failure that the proxy tells", async () => {
    const parts = {
      forbidden: new DialError("forbidden", "x"),
      refused: new DialError("refused", "x"),
      timeout: new DialError("timeout", "x"),
    };
    await withFrontDoor(parts, async ({ proxy }) => {
      const settings = new ProxySettings({ ALL_PROXY: `socks5://127.0.0.1:${proxy.port}` });
      for (const kind of Object.keys(parts)) {
        const error = await assertRejects(
          () => new DirectDialer({ settings }).dial({ host: kind, port: 1 }, { signal }),
          DialError,
        );
        assertEquals(error.kind, kind);
        assertStringIncludes(error.message, "ALL_PROXY");
      }
    });
  });

  it("has plain HTTP sent to an HTTP proxy in absolute form, and everything else tunnelled", () => {
    const route = (url: string, scheme: "http" | "https" | "tcp") =>
      new DirectDialer({ settings: new ProxySettings({ ALL_PROXY: url }) }).route({ host: "x.org", port: 80 }, scheme)
        .httpProxy?.host;
    assertEquals(route("http://p:1", "http"), "p");
    assertEquals(route("https://p:1", "http"), "p");
    assertEquals(route("socks5://p:1", "http"), undefined);
    assertEquals(route("http://p:1", "tcp"), undefined);
    assertEquals(route("http://p:1", "https"), undefined);
  });

  it("does not go to itself, and honours NO_PROXY", async () => {
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => stream.close());
    const connect = (host: string, _port: number, signal: AbortSignal) => {
      assertEquals(host, "x.org");
      return connectTcp("127.0.0.1", listener.port, signal);
    };
    const env = { ALL_PROXY: "http://127.0.0.1:1080" };
    const isOurs = ({ host, port }: { host: string; port: number }) => host === "127.0.0.1" && port === 1080;
    for (
      const dialer of [
        new DirectDialer({ settings: new ProxySettings(env), isOurs, connect }),
        new DirectDialer({ settings: new ProxySettings({ ...env, NO_PROXY: "x.org" }), connect }),
      ]
    ) (await dialer.dial({ host: "x.org", port: 80 }, { signal })).close();
    await listener.close();
  });

  it("names the variable when it is no proxy URL, and keeps its value to itself", () => {
    const dialer = new DirectDialer({ settings: new ProxySettings({ ALL_PROXY: "gopher://jane:secret@x" }) });
    const error = assertThrows(() => dialer.route({ host: "x.org", port: 80 }, "tcp"), DialError);
    assertStringIncludes(error.message, "ALL_PROXY");
    assertFalse(error.message.includes("secret"));
  });

  it("says which proxy cannot be reached", async () => {
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, () => {});
    await listener.close();
    const dialer = new DirectDialer({
      settings: new ProxySettings({ HTTP_PROXY: `http://127.0.0.1:${listener.port}` }),
    });
    for (const scheme of ["http", "tcp"] as const) {
      const error = await assertRejects(
        () => dialer.route({ host: "x.org", port: 80 }, scheme).dial({ signal }),
        DialError,
      );
      assertEquals(error.kind, "unreachable");
      assertStringIncludes(error.message, `The proxy "127.0.0.1:${listener.port}" (HTTP_PROXY) cannot be reached`);
    }
  });
});

describe("a front door behind the user's own HTTP proxy", () => {
  it("sends plain HTTP on in absolute form with the proxy's password, and explains its 407", async () => {
    const company = async (end: End) => {
      for (let head; (head = await end.head()) !== "";) {
        const right = head.includes(`Proxy-Authorization: Basic ${btoa("jane:pw")}`);
        await end.send(
          right
            ? `HTTP/1.1 200 OK\r\nContent-Length: ${head.split("\r\n")[0]!.length}\r\n\r\n${head.split("\r\n")[0]}`
            : "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=corp\r\nContent-Length: 0\r\n\r\n",
        );
      }
    };
    await withFrontDoor({ company }, async ({ proxy }) => {
      // The company's proxy is the destination "company" behind another front door, reached by CONNECT through it.
      const connect = async (_host: string, _port: number, signal: AbortSignal) => {
        const settings = new ProxySettings({ ALL_PROXY: `socks5://127.0.0.1:${proxy.port}` });
        return await new DirectDialer({ settings }).dial({ host: "company", port: 3128 }, { signal });
      };
      for (const [login, expected] of [["jane:pw@", "200 OK"], ["", "403 Forbidden"]]) {
        const settings = new ProxySettings({ HTTP_PROXY: `http://${login}company:3128` });
        const direct = new DirectDialer({ settings, connect });
        const router = {
          route: (target: { host: string; port: number }) => Promise.resolve(direct.route(target, "http")),
        };
        await withFrontDoor({}, async (own) => {
          const client = await own.connect();
          for (let time = 0; time < 2; time++) {
            await client.send("GET http://intranet/x HTTP/1.1\r\n\r\n");
            const head = await client.head();
            assertStringIncludes(head, expected!);
            assertFalse(/proxy-authenticate/i.test(head));
            const body = await client.text(Number(/Content-Length: (\d+)/.exec(head)![1]));
            assertStringIncludes(
              body,
              login === "" ? "asks for another user or password" : "GET http://intranet/x HTTP/1.1",
            );
          }
        }, { router });
      }
    });
  });
});
