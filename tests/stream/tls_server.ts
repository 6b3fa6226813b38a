import type net from "node:net";
import tls from "node:tls";
import type { Issued } from "../practice/certificate_authority.ts";

/** A TLS server on loopback, for one test. */
export interface TlsServer extends AsyncDisposable {
  readonly port: number;
  /** Raw connections taken so far. */
  readonly connections: number;
  /** Ends all connections beneath TLS, which is not told. */
  cut(): void;
}

/** What a {@linkcode TlsServer} shows and asks for. */
export interface TlsServerOptions {
  readonly identity: Issued;
  /** PEM authority of the client certificates without which nobody gets in; none are asked for where undefined. */
  readonly clients?: string;
  onSecure(socket: tls.TLSSocket): void;
}

/** Starts a TLS server on a free port; disposing of it cuts its connections. */
export async function startTlsServer(options: TlsServerOptions): Promise<TlsServer> {
  const server = tls.createServer({
    cert: options.identity.certificate,
    key: options.identity.key,
    allowHalfOpen: true,
    ...(options.clients !== undefined && { ca: options.clients, requestCert: true, rejectUnauthorized: true }),
  });
  const raw = new Set<net.Socket>();
  let connections = 0;
  server.on("connection", (socket: net.Socket) => {
    connections++;
    raw.add(socket);
    socket.once("close", () => raw.delete(socket));
  });
  const secured = new Set<tls.TLSSocket>();
  server.on("secureConnection", (socket: tls.TLSSocket) => {
    secured.add(socket);
    socket.once("close", () => secured.delete(socket));
    socket.on("error", () => {}); // clients leave as they like
    options.onSecure(socket);
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    get connections() {
      return connections;
    },
    cut() {
      for (const socket of raw) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of [...secured, ...raw]) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
