import dgram from "node:dgram";
import type { Duplex } from "../stream/duplex.ts";
import type { Target } from "../tunnel/dialer.ts";
import { DatagramFlows } from "../tunnel/datagram_flows.ts";
import { formatSocksDatagram, parseSocksDatagram } from "./socks_datagram.ts";

/** For whom an association is, and what it does. */
export interface UdpAssociationOptions {
  /** Address of the client, from which alone datagrams are taken; loopback, as the door is. */
  readonly client: string;
  /** The client's port, 0 where it has not said which: then the first datagram tells. */
  readonly port: number;
  /** Opens a stream of framed datagrams to a destination. */
  dial(target: Target, signal: AbortSignal): Promise<Duplex>;
  onFailure(target: Target, error: Error): void;
}

/** A client's UDP association (RFC 1928 §7): datagrams of one client, each with its destination before it. */
export interface UdpAssociation {
  /** Where the client is to send. */
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Destinations of one association; one more ends the one that was used longest ago. */
const destinationLimit = 256;

/** Opens an association on the client's own loopback address. Rejects with the system's error where no port can be had. */
export async function openUdpAssociation(options: UdpAssociationOptions): Promise<UdpAssociation> {
  const { client, dial, onFailure } = options;
  let clientPort = options.port;
  const socket = dgram.createSocket(client.includes(":") ? "udp6" : "udp4");
  const flows = new DatagramFlows(destinationLimit, {
    dial: (key, signal) => dial(targetOf(key), signal),
    onDatagram(key, data) {
      if (clientPort === 0) return;
      // One that cannot be sent is lost, as datagrams are.
      socket.send(formatSocksDatagram({ target: targetOf(key), data }), clientPort, client, () => {});
    },
    onFailure: (key, error) => onFailure(targetOf(key), error),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, client, () => resolve());
  }).catch((error) => {
    socket.close();
    throw error;
  });
  socket.removeAllListeners("error");
  socket.on("error", () => {}); // a client that is gone; its connection tells
  socket.on("message", (datagram, { address, port }) => {
    if (address !== client || clientPort !== 0 && port !== clientPort) return;
    const read = parseSocksDatagram(datagram);
    if (!read) return;
    clientPort = port;
    flows.send(`${read.target.port} ${read.target.host}`, read.data);
  });
  return {
    host: client,
    port: socket.address().port,
    async close() {
      await flows.close();
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

function targetOf(key: string): Target {
  const [port = "", host = ""] = key.split(" ");
  return { host, port: Number(port), network: "udp" };
}
