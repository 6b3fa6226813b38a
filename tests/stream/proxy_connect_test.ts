import { assertEquals, assertFalse, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseProxyUrl } from "../../src/platform/proxy_settings.ts";
import { BufferedReader } from "../../src/stream/buffered_reader.ts";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { listenTcp } from "../../src/stream/listen_tcp.ts";
import { connectThroughProxy, ProxyConnectError } from "../../src/stream/proxy_connect.ts";

const never = new AbortController().signal;
const text = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);

/** A proxy that plays one part; resolves with what the client then got, or rejects as it did. */
async function through(
  url: string,
  destination: string,
  play: (proxy: Duplex, reader: BufferedReader) => Promise<void>,
  signal: AbortSignal = never,
): Promise<string> {
  const played: Promise<void>[] = [];
  const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => {
    played.push(play(stream, new BufferedReader(stream)).catch(() => {}).finally(() => stream.close()));
  });
  try {
    const proxy = { ...parseProxyUrl(url, "HTTPS_PROXY"), port: listener.port };
    const at = destination.lastIndexOf(":");
    const stream = await connectThroughProxy(
      proxy,
      destination.slice(0, at),
      Number(destination.slice(at + 1)),
      ({ host, port }, signal) => connectTcp(host, port, signal),
      signal,
    );
    let got = "";
    const into = new Uint8Array(3);
    for (let count; (count = await stream.read(into)) !== null;) got += text(into.subarray(0, count));
    stream.close();
    return got;
  } finally {
    await Promise.all(played);
    await listener.close();
  }
}

async function failure(...args: Parameters<typeof through>): Promise<ProxyConnectError> {
  return await assertRejects(() => through(...args), ProxyConnectError);
}

describe("connectThroughProxy with an HTTP proxy", () => {
  it("sends CONNECT and gives what follows the answer, even in the same packet", async () => {
    let asked = "";
    const got = await through("http://127.0.0.1", "db.corp:5432", async (proxy, reader) => {
      asked = text((await reader.head())!);
      await proxy.write(bytes("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nhello from the far side"));
    });
    assertEquals(got, "hello from the far side");
    assertStringIncludes(asked, "CONNECT db.corp:5432 HTTP/1.1\r\nHost: db.corp:5432\r\n");
    assertFalse(asked.includes("Proxy-Authorization"));
  });

  it("brackets IPv6, sends the password, and waits through interim answers", async () => {
    let asked = "";
    const got = await through("http://jane:s%C3%A9same@127.0.0.1", "fd00::1:443", async (proxy, reader) => {
      asked = text((await reader.head())!);
      await proxy.write(bytes("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\n!"));
    });
    assertEquals(got, "!");
    assertStringIncludes(asked, "CONNECT [fd00::1]:443 ");
    assertStringIncludes(asked, `Proxy-Authorization: Basic ${btoa("jane:s\xc3\xa9same")}\r\n`);
  });

  for (
    const [status, kind, words] of [
      ["407 Auth\r\nProxy-Authenticate: Basic realm=x", "authentication", "http://USER:PASSWORD@127.0.0.1:"],
      ["407 Auth\r\nProxy-Authenticate: NTLM", "authentication", '"NTLM" authentication'],
      ["403 Forbidden", "forbidden", "does not allow a connection to x.org:443"],
      ["502 Bad Gateway", "failed", "(status 502)"],
      ["504 Gateway Timeout", "timeout", "in time"],
    ] as const
  ) {
    it(`explains "${status}"`, async () => {
      const error = await failure("http://127.0.0.1", "x.org:443", async (proxy, reader) => {
        await reader.head();
        await proxy.write(bytes(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`));
      });
      assertEquals(error.kind, kind);
      assertStringIncludes(error.message, words);
      assertStringIncludes(error.message, "HTTPS_PROXY");
    });
  }

  it("does not repeat the password when the proxy refuses it", async () => {
    const error = await failure("http://jane:sesame@127.0.0.1", "x.org:443", async (proxy, reader) => {
      await reader.head();
      await proxy.write(bytes("HTTP/1.1 407 Auth\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"));
    });
    assertStringIncludes(error.message, '"jane"');
    assertFalse(error.message.includes("sesame"));
  });

  it("tells a server of another kind, one that never ends its head, and one that hangs up", async () => {
    const ssh = await failure("http://127.0.0.1", "x.org:443", async (proxy, reader) => {
      await reader.head();
      await proxy.write(bytes("SSH-2.0-OpenSSH_9.2\r\n\r\n"));
    });
    assertEquals(ssh.kind, "protocol");
    const endless = await failure("http://127.0.0.1", "x.org:443", async (proxy, reader) => {
      await reader.head();
      await proxy.write(bytes("HTTP/1.1 200 OK\r\n" + "X: y\r\n".repeat(4000)));
    });
    assertEquals(endless.kind, "protocol");
    const mute = await failure("http://127.0.0.1", "x.org:443", async (_, reader) => void await reader.head());
    assertEquals(mute.kind, "unreachable");
  });
});

describe("connectThroughProxy with a SOCKS5 proxy", () => {
  const grant = async (proxy: Duplex, rest = "") => {
    await proxy.write(Uint8Array.from([5, 0, 0, 1, 127, 0, 0, 1, 1, 2, ...bytes(rest)]));
  };

  it("sends names as names and addresses as addresses", async () => {
    for (
      const [destination, request] of [
        ["x.org:443", [5, 1, 0, 3, 5, ...bytes("x.org"), 1, 187]],
        ["10.0.0.1:80", [5, 1, 0, 1, 10, 0, 0, 1, 0, 80]],
        ["fd00::1:80", [5, 1, 0, 4, 0xfd, ...new Array(14).fill(0), 1, 0, 80]],
      ] as const
    ) {
      let asked: number[] = [];
      const got = await through("socks5h://127.0.0.1", destination, async (proxy, reader) => {
        assertEquals([...await reader.exact(3)], [5, 1, 0]);
        await proxy.write(Uint8Array.from([5, 0]));
        asked = [...await reader.exact(request.length)];
        await grant(proxy, "welcome");
      });
      assertEquals(asked, [...request]);
      assertEquals(got, "welcome");
    }
  });

  it("logs in by RFC 1929 and takes an answer with a name in it", async () => {
    let login: number[] = [];
    const got = await through("socks5://jane:pw@127.0.0.1", "x.org:443", async (proxy, reader) => {
      assertEquals([...await reader.exact(4)], [5, 2, 0, 2]);
      await proxy.write(Uint8Array.from([5, 2]));
      login = [...await reader.exact(9)];
      await proxy.write(Uint8Array.from([1, 0]));
      await reader.exact(12);
      await proxy.write(Uint8Array.from([5, 0, 0, 3, 2, 97, 98, 0, 0, 33]));
    });
    assertEquals(login, [1, 4, ...bytes("jane"), 2, ...bytes("pw")]);
    assertEquals(got, "!");
  });

  it("tells refused, forbidden, unreachable and timed out apart", async () => {
    for (
      const [reply, kind] of [[1, "failed"], [2, "forbidden"], [4, "failed"], [5, "refused"], [6, "timeout"]] as const
    ) {
      const error = await failure("socks5://127.0.0.1", "x.org:443", async (proxy, reader) => {
        await reader.exact(3);
        await proxy.write(Uint8Array.from([5, 0]));
        await reader.exact(12);
        await proxy.write(Uint8Array.from([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]));
      });
      assertEquals(error.kind, kind);
      assertStringIncludes(error.message, "x.org:443");
    }
  });

  it("says so when a user and password are wanted or wrong", async () => {
    const wanted = await failure("socks5://127.0.0.1", "x.org:443", async (proxy, reader) => {
      await reader.exact(3);
      await proxy.write(Uint8Array.from([5, 0xff]));
    });
    assertEquals(wanted.kind, "authentication");
    const wrong = await failure("socks5://jane:pw@127.0.0.1", "x.org:443", async (proxy, reader) => {
      await reader.exact(4);
      await proxy.write(Uint8Array.from([5, 2]));
      await reader.exact(9);
      await proxy.write(Uint8Array.from([1, 1]));
    });
    assertEquals(wrong.kind, "authentication");
  });

  it("refuses a name that SOCKS5 has no room for", async () => {
    const error = await failure("socks5://127.0.0.1", `${"x".repeat(256)}:443`, async (proxy, reader) => {
      await reader.exact(3);
      await proxy.write(Uint8Array.from([5, 0]));
      await reader.exact(1);
    });
    assertStringIncludes(error.message, "1 to 255 bytes");
  });
});

describe("connectThroughProxy with a SOCKS4 proxy", () => {
  it("sends names behind the user (4a) and addresses in place", async () => {
    for (
      const [destination, request] of [
        ["x.org:443", [4, 1, 1, 187, 0, 0, 0, 1, ...bytes("jane"), 0, ...bytes("x.org"), 0]],
        ["10.0.0.1:80", [4, 1, 0, 80, 10, 0, 0, 1, ...bytes("jane"), 0]],
      ] as const
    ) {
      let asked: number[] = [];
      const got = await through("socks4a://jane@127.0.0.1", destination, async (proxy, reader) => {
        asked = [...await reader.exact(request.length)];
        await proxy.write(Uint8Array.from([0, 90, 0, 0, 0, 0, 0, 0, ...bytes("hi")]));
      });
      assertEquals(asked, [...request]);
      assertEquals(got, "hi");
    }
  });

  it("reports a refusal", async () => {
    const error = await failure("socks4://127.0.0.1", "10.0.0.1:80", async (proxy, reader) => {
      await reader.exact(9);
      await proxy.write(Uint8Array.from([0, 91, 0, 0, 0, 0, 0, 0]));
    });
    assertEquals(error.kind, "failed");
  });
});

describe("connectThroughProxy", () => {
  it("names a proxy that nobody runs", async () => {
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, () => {});
    await listener.close();
    const proxy = { ...parseProxyUrl("http://127.0.0.1", "HTTPS_PROXY"), port: listener.port };
    const error = await assertRejects(
      () => connectThroughProxy(proxy, "x.org", 443, ({ host, port }, signal) => connectTcp(host, port, signal), never),
      ProxyConnectError,
      `The proxy "127.0.0.1:${listener.port}" (HTTPS_PROXY) cannot be reached`,
    );
    assertEquals(error.kind, "unreachable");
  });

  it("gives up with the signal's reason while a proxy stays silent", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const got = await assertRejects(() =>
      through("http://127.0.0.1", "x.org:443", async (_, reader) => {
        await reader.head();
        controller.abort(reason);
        await reader.fill();
      }, controller.signal)
    );
    assertEquals(got, reason);
  });
});
