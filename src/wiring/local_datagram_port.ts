import dgram from "node:dgram";
import type { ListenOptions } from "../stream/listen_tcp.ts";
import type { Duplex } from "../stream/duplex.ts";
import { DatagramFlows } from "../tunnel/datagram_flows.ts";

/** What a local UDP port does with its datagrams. */
export interface LocalDatagramPortDeps {
  /** Opens the other end for one client, a stream of framed datagrams. */
  dial(client: string, signal: AbortSignal): Promise<Duplex>;
  /** Told of each client that the other end could not be had for, or whose other end broke. */
  onFailure(error: Error): void;
}

/** A UDP port of this machine that leads elsewhere. */
export interface LocalDatagramPort {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

const clientLimit = 1024;

/** Listens for datagrams, and carries those of each client to what `dial` opens for it, and back. Rejects with the system's error where the port cannot be had. */
export async function openLocalDatagramPort(
  { host, port }: ListenOptions,
  deps: LocalDatagramPortDeps,
): Promise<LocalDatagramPort> {
  const socket = dgram.createSocket(host.includes(":") ? "udp6" : "udp4");
  const flows = new DatagramFlows(clientLimit, {
    dial: (client, signal) => deps.dial(client, signal),
    onDatagram(client, datagram) {
      const end = client.lastIndexOf(":");
      // One that cannot be sent is lost, as datagrams are.
      socket.send(datagram.slice(), Number(client.slice(end + 1)), client.slice(0, end), () => {});
    },
    onFailure: (_client, error) => deps.onFailure(error),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, host, () => resolve());
  }).catch((error) => {
    socket.close();
    throw error;
  });
  socket.removeAllListeners("error");
  socket.on("error", () => {}); // a client that is gone
  socket.on("message", (datagram, { address, port }) => flows.send(`${address}:${port}`, datagram));
  return {
    host,
    port: socket.address().port,
    async close() {
      await flows.close();
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}
