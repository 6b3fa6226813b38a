import net from "node:net";
import type { Destination, OriginalDestinations } from "../../platform/original_destination.ts";
import type { TcpListener } from "../../stream/listen_tcp.ts";
import { TcpStream } from "../../stream/tcp_stream.ts";

/**
 * Listens for connections that the kernel redirects here, on any free port or the one given, and hands each over with where it was
 * going. Connections that were meant for this port itself are reset. Rejects with the system's error.
 */
export function listenRedirected(
  { host, port }: { readonly host: "127.0.0.1" | "::1"; readonly port: number },
  destinations: OriginalDestinations,
  onConnection: (stream: TcpStream, destination: Destination) => void,
): Promise<TcpListener> {
  const family = host === "::1" ? 6 : 4;
  return new Promise((resolve, reject) => {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    server.on("connection", (socket) => {
      const stream = new TcpStream(socket);
      const fd = copiedDescriptor(socket);
      const destination = fd === undefined ? undefined : destinations.take(fd, family);
      if (destination) onConnection(stream, destination);
      else stream.reset();
    });
    server.once("error", reject);
    server.listen({ host, port, backlog: 4096 }, () => {
      server.off("error", reject);
      server.on("error", () => {}); // out of file descriptors and the like: the listener itself lives on
      const { port } = server.address() as net.AddressInfo;
      resolve({ host, port, close: () => Promise.resolve(void server.close()) });
    });
  });
}

/** Deno hands out descriptors only to pass sockets to child processes, and copies at that: whoever gets one has to close it. */
function copiedDescriptor(socket: net.Socket): number | undefined {
  const { _handle } = socket as unknown as { _handle?: { fdForIpc?(): number } | null };
  return _handle?.fdForIpc?.();
}
