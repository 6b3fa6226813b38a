import net from "node:net";
import { TcpStream } from "./tcp_stream.ts";

/** A listening port. */
export interface TcpListener {
  readonly host: string;
  /** The real one, where 0 was asked for. */
  readonly port: number;
  /** Stops listening; connections live on. */
  close(): Promise<void>;
}

/** Where to listen. */
export interface ListenOptions {
  /** An address of this machine. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
}

/**
 * Listens and hands over each connection. Rejects with the system's error: `code` is `EADDRINUSE` where the port is taken, `EACCES` where it
 * is reserved, `EADDRNOTAVAIL` where the address is not this machine's.
 */
export function listenTcp(options: ListenOptions, onConnection: (stream: TcpStream) => void): Promise<TcpListener> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    server.on("connection", (socket) => onConnection(new TcpStream(socket)));
    server.once("error", reject);
    // `exclusive` keeps Windows from sharing a port that another program holds.
    server.listen({ host: options.host, port: options.port, exclusive: true, backlog: 511 }, () => {
      server.off("error", reject);
      // Out of file descriptors and the like: the listener itself lives on.
      server.on("error", () => {});
      const { port } = server.address() as net.AddressInfo;
      resolve({
        host: options.host,
        port,
        // Node's own callback would wait for the last connection to end.
        close: () => Promise.resolve(void server.close()),
      });
    });
  });
}
