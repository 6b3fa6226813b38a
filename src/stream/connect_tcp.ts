import net from "node:net";
import { TcpStream } from "./tcp_stream.ts";

/**
 * Opens a TCP connection; names are resolved by the system, all addresses tried (RFC 8305). Rejects with the system's error (`code` is
 * `ECONNREFUSED`, `ENOTFOUND`, `ETIMEDOUT` …) or with the signal's reason. `localPort` is any free one by default.
 */
export function connectTcp(
  host: string,
  port: number,
  signal: AbortSignal,
  { localPort }: { readonly localPort?: number } = {},
): Promise<TcpStream> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = net.connect({ host, port, localPort, allowHalfOpen: true, noDelay: true });
    const settle = () => {
      signal.removeEventListener("abort", abort);
      socket.off("connect", connected);
      socket.off("error", failed);
    };
    const abort = () => {
      settle();
      socket.on("error", () => {});
      socket.destroy();
      reject(signal.reason);
    };
    const connected = () => {
      settle();
      resolve(new TcpStream(socket));
    };
    const failed = (error: Error) => {
      settle();
      socket.destroy();
      // Where a name has several addresses, the error of all has no message of its own.
      reject(error instanceof AggregateError ? error.errors.at(-1) : error);
    };
    socket.once("connect", connected);
    socket.once("error", failed);
    signal.addEventListener("abort", abort, { once: true });
  });
}
