import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import net from "node:net";
import type tls from "node:tls";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { openTls, type TlsOptions } from "../../src/stream/tls_stream.ts";
import { settled } from "../fake_clock.ts";
import { CertificateAuthority } from "../practice/certificate_authority.ts";
import { startTlsServer, type TlsServer } from "./tls_server.ts";

const authority = await CertificateAuthority.create("test authority");
const identity = await authority.issue({ commonName: "server", names: ["localhost", "127.0.0.1"] });
const signal = new AbortController().signal;

function trusting(options: Partial<TlsOptions> = {}): TlsOptions {
  return { host: "localhost", ca: authority.certificate, certificate: undefined, skipVerify: false, ...options };
}

async function open(server: TlsServer, options?: Partial<TlsOptions>): Promise<Duplex> {
  return await openTls(await connectTcp("127.0.0.1", server.port, signal), trusting(options), signal);
}

function echo(socket: tls.TLSSocket): void {
  socket.on("data", (bytes) => socket.write(bytes));
  socket.on("end", () => socket.end());
}

async function readAll(stream: Duplex): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(1024);
  let text = "";
  for (let count; (count = await stream.read(buffer)) !== null;) {
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return text;
}

/** Passes bytes through and counts what was taken in. */
class CountingStream implements Duplex {
  taken = 0;
  readonly #stream: Duplex;
  constructor(stream: Duplex) {
    this.#stream = stream;
  }
  async read(into: Uint8Array): Promise<number | null> {
    const count = await this.#stream.read(into);
    this.taken += count ?? 0;
    return count;
  }
  write(data: Uint8Array): Promise<void> {
    return this.#stream.write(data);
  }
  closeWrite(): Promise<void> {
    return this.#stream.closeWrite();
  }
  reset(): void {
    this.#stream.reset();
  }
  close(): void {
    this.#stream.close();
  }
}

describe("openTls", () => {
  it("carries bytes both ways and keeps the half-close", async () => {
    await using server = await startTlsServer({ identity, onSecure: echo });
    const stream = await open(server);
    await stream.write(new TextEncoder().encode("ahoy"));
    await stream.closeWrite();
    assertEquals(await readAll(stream), "ahoy");
    stream.close();
  });

  it("shows its client certificate", async () => {
    const client = await authority.issue({ commonName: "alice" });
    await using server = await startTlsServer({
      identity,
      clients: authority.certificate,
      onSecure: (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)),
    });
    const stream = await open(server, { certificate: { chain: client.certificate, key: client.key } });
    assertEquals(await readAll(stream), "alice");
    stream.close();
  });

  it("refuses a server of another name", async () => {
    await using server = await startTlsServer({ identity, onSecure: echo });
    const error = await assertRejects(() => open(server, { host: "example.org" }), Error);
    assertStringIncludes(error.message, "example.org");
  });

  it("refuses a server of another address", async () => {
    await using server = await startTlsServer({ identity, onSecure: echo });
    await assertRejects(() => open(server, { host: "127.0.0.2" }), Error, "127.0.0.2");
  });

  it("refuses a server of another authority", async () => {
    const other = await CertificateAuthority.create("other authority");
    await using server = await startTlsServer({ identity, onSecure: echo });
    await assertRejects(() => open(server, { ca: other.certificate }), Error, "certificate");
  });

  it("takes any server where it is told to, and says what it has shown", async () => {
    await using server = await startTlsServer({ identity, onSecure: echo });
    const stream = await openTls(
      await connectTcp("127.0.0.1", server.port, signal),
      trusting({ host: "example.org", ca: undefined, skipVerify: true }),
      signal,
    );
    assertEquals(stream.serverCertificate?.issuer, "CN=test authority");
    stream.close();
  });

  it("rejects where the peer ends the connection during the handshake", async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted = listener.accept().then((conn) => conn.close());
    const tcp = await connectTcp("127.0.0.1", (listener.addr as Deno.NetAddr).port, signal);
    await assertRejects(() => openTls(tcp, trusting(), signal), Error);
    await accepted;
    listener.close();
  });

  it("gives up the handshake when it is told to", async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted = listener.accept();
    const stopping = new AbortController();
    const tcp = await connectTcp("127.0.0.1", (listener.addr as Deno.NetAddr).port, signal);
    const opening = openTls(tcp, trusting(), stopping.signal);
    const silent = await accepted;
    stopping.abort(new Error("enough"));
    await assertRejects(() => opening, Error, "enough");
    silent.close();
    listener.close();
  });

  it("carries TLS inside TLS, as a proxy that is spoken to by https wants it", async () => {
    await using server = await startTlsServer({ identity, onSecure: echo });
    await using proxy = await startTlsServer({
      identity,
      onSecure: (socket) => {
        const far = net.connect({ host: "127.0.0.1", port: server.port, allowHalfOpen: true });
        far.on("error", () => {});
        socket.pipe(far).pipe(socket);
      },
    });
    const stream = await openTls(await open(proxy), trusting(), signal);
    await stream.write(new TextEncoder().encode("ahoy"));
    await stream.closeWrite();
    assertEquals(await readAll(stream), "ahoy");
    stream.close();
  });

  it("does not take a cut connection for a complete answer", async () => {
    await using server = await startTlsServer({ identity, onSecure: (socket) => socket.write("half") });
    const stream = await open(server);
    assertEquals(await stream.read(new Uint8Array(16)), 4);
    server.cut();
    const error = await assertRejects(() => readAll(stream), Error);
    assertEquals("code" in error && error.code, "ECONNRESET");
    stream.close();
  });

  it("stops taking ciphertext in while nobody reads, and delivers everything in the end", async () => {
    const total = 16 * 1024 * 1024;
    await using server = await startTlsServer({
      identity,
      onSecure: (socket) => {
        for (let sent = 0; sent < total; sent += 65536) socket.write(new Uint8Array(65536).fill(sent / 65536));
        socket.end();
      },
    });
    const wire = new CountingStream(await connectTcp("127.0.0.1", server.port, signal));
    const stream = await openTls(wire, trusting(), signal);
    const buffer = new Uint8Array(100_000);
    let received = 0;
    const check = (count: number) => {
      for (let at = 0; at < count; at += 997) {
        if (buffer[at] !== (Math.floor((received + at) / 65536) & 0xff)) {
          throw new Error(`Wrong byte at ${received + at}`);
        }
      }
      received += count;
    };
    while (received < 1024 * 1024) check((await stream.read(buffer))!);
    await settled(200);
    const ahead = wire.taken - received;
    assert(ahead <= 200_000, `${ahead} bytes were taken in that nobody asked for`);
    for (let count; (count = await stream.read(buffer)) !== null;) check(count);
    assertEquals(received, total);
    stream.close();
  });

  it("holds writes back while the peer does not read", async () => {
    const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: identity.certificate, key: identity.key });
    const accepted = listener.accept();
    const tcp = await connectTcp("127.0.0.1", (listener.addr as Deno.NetAddr).port, signal);
    const opening = openTls(tcp, trusting(), signal);
    const peer = await accepted;
    await peer.handshake();
    const stream = await opening;
    let written = 0;
    const writing = (async () => {
      const chunk = new Uint8Array(65536);
      while (written < 64 * 1024 * 1024) {
        await stream.write(chunk);
        written += chunk.length;
      }
    })();
    let before = -1;
    while (written !== before) {
      before = written;
      await settled(200);
    }
    assert(written < 32 * 1024 * 1024, `${written} bytes were written to a peer that reads nothing`);
    stream.reset();
    await assertRejects(() => writing);
    peer.close();
    listener.close();
  });
});
