import type { X509Certificate } from "node:crypto";
import { Duplex as NodeDuplex } from "node:stream";
import type net from "node:net";
import tls from "node:tls";
import { ByteQueue } from "./byte_queue.ts";
import type { Duplex } from "./duplex.ts";
import { endWriting, writeTo } from "./writable.ts";

/** Whom to trust and who to be. */
export interface TlsOptions {
  /** Name or address that the server's certificate must hold; names are sent as SNI. */
  readonly host: string;
  /** PEM certificates to trust; undefined for the usual ones. */
  readonly ca: string | undefined;
  /** PEM certificate chain and key that say who we are. */
  readonly certificate: { readonly chain: string; readonly key: string } | undefined;
  /** Takes any certificate of any server. */
  readonly skipVerify: boolean;
}

/** A stream that TLS protects. */
export interface TlsDuplex extends Duplex {
  /** What the server has shown. */
  readonly serverCertificate: X509Certificate | undefined;
}

/** Ciphertext that one turn of the event loop decrypts at most, which also bounds what waits for a slow reader. */
const turn = 65536;

/**
 * Puts TLS 1.2 or 1.3 on top of a connected stream, which it owns from then on. Resolves once the handshake is done and the server is known
 * to be who it should be; rejects with the TLS library's error or the signal's reason.
 *
 * It stands on `node:tls`, the only TLS of Deno that does client certificates on a given connection, but is pulled: a `node:tls` socket on a
 * real socket reads on without bound while nobody takes its data. Here ciphertext is fetched only while a `read` waits.
 */
export async function openTls(under: Duplex, options: TlsOptions, signal: AbortSignal): Promise<TlsDuplex> {
  const stream = new TlsStream(under, options);
  const abort = () => stream.reset();
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    await stream.secured;
    return stream;
  } catch (error) {
    stream.reset();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

class TlsStream implements TlsDuplex {
  /** Settles with the handshake. */
  readonly secured: Promise<void>;
  readonly #under: Duplex;
  readonly #wire: NodeDuplex;
  readonly #socket: tls.TLSSocket;
  #cipher = new Uint8Array(turn);
  readonly #plain = new ByteQueue();
  /** Ciphertext may flow: during the handshake, then while a read waits. */
  #open = true;
  /** TLS has asked for ciphertext and got none yet. */
  #hungry = false;
  #fetching = false;
  #ended = false;
  #error: Error | undefined;

  constructor(under: Duplex, options: TlsOptions) {
    this.#under = under;
    this.#wire = new NodeDuplex({
      read: () => {
        this.#hungry = true;
        this.#fetch();
      },
      write: (chunk: Uint8Array, _encoding, done) => {
        under.write(chunk).then(() => done(), done);
      },
      final: (done) => {
        under.closeWrite().then(() => done(), done);
      },
      destroy: (error, done) => {
        under.close();
        done(error);
      },
    });
    const named = /^[0-9.]+$|:/.test(options.host) ? {} : { servername: options.host };
    this.#socket = tls.connect({
      // Anything that is a stream will do, says Node's documentation; the types know only sockets.
      socket: this.#wire as net.Socket,
      host: options.host,
      ...named,
      ca: options.ca,
      cert: options.certificate?.chain,
      key: options.certificate?.key,
      rejectUnauthorized: !options.skipVerify,
      ALPNProtocols: ["http/1.1"],
      minVersion: "TLSv1.2",
    });
    this.#socket.allowHalfOpen = true;
    this.secured = new Promise((resolve, reject) => {
      this.#socket.once("secureConnect", () => {
        this.#open = this.#plain.wanted;
        resolve();
      });
      this.#socket.once("error", reject);
      this.#socket.once(
        "close",
        () => reject(this.#error ?? new Error("The connection ended during the TLS handshake")),
      );
    });
    this.secured.catch(() => {});
    this.#socket.on("data", (chunk: Uint8Array) => this.#take(chunk));
    this.#socket.on("end", () => this.#finish());
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#finish());
    this.#wire.on("error", (error) => this.#fail(error));
  }

  get serverCertificate(): X509Certificate | undefined {
    return this.#socket.getPeerX509Certificate();
  }

  read(into: Uint8Array): Promise<number | null> {
    const read = this.#plain.read(into);
    if (this.#plain.wanted) {
      this.#open = true;
      this.#fetch();
    }
    return read;
  }

  async write(data: Uint8Array): Promise<void> {
    try {
      await writeTo(this.#socket, data);
    } catch (error) {
      throw this.#error ?? error;
    }
  }

  closeWrite(): Promise<void> {
    return endWriting(this.#socket);
  }

  reset(): void {
    this.#finish();
    this.#under.reset();
    this.#socket.destroy();
    this.#wire.destroy();
  }

  close(): void {
    this.#finish();
    this.#socket.destroy();
    this.#wire.destroy();
  }

  async #fetch(): Promise<void> {
    if (!this.#open || !this.#hungry || this.#fetching) return;
    this.#fetching = true;
    this.#hungry = false;
    try {
      const count = await this.#under.read(this.#cipher);
      this.#fetching = false;
      // TLS ends with close_notify (RFC 8446 §6.1), which has been seen by now: without it somebody cut the connection.
      if (count === null && !this.#ended) throw cut();
      this.#wire.push(count === null ? null : this.#cipher.subarray(0, count));
      // TLS takes the bytes in at once, so the buffer serves again, at half the cost of a new one; should it not, the rest keeps this one.
      if (this.#wire.readableLength > 0) this.#cipher = new Uint8Array(turn);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      this.#socket.destroy();
      this.#wire.destroy();
    }
  }

  #take(chunk: Uint8Array): void {
    this.#open = false;
    this.#plain.push(chunk);
  }

  #finish(): void {
    this.#ended = true;
    this.#plain.end();
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#plain.end(error);
  }
}

function cut(): Error {
  return Object.assign(new Error("The connection was cut: it ended without TLS saying so"), { code: "ECONNRESET" });
}
