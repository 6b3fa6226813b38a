import dgram from "node:dgram";

/** A UDP port of this machine that sends every datagram back. */
export interface UdpEcho extends AsyncDisposable {
  readonly port: number;
}

/** Opens one. */
export async function udpEcho(): Promise<UdpEcho> {
  const socket = dgram.createSocket("udp4");
  socket.on("message", (datagram, { address, port }) => socket.send(datagram, port, address));
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", () => resolve()));
  return {
    port: socket.address().port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
