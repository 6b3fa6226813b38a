import dgram from "node:dgram";
import { lookup } from "node:dns/promises";
import type { Clock } from "../platform/clock.ts";
import { UdpStream } from "./udp_stream.ts";

/**
 * Opens a UDP socket that is connected to one destination; names are resolved by the system. Rejects with the system's error (`ENOTFOUND`…) or with the
 * signal's reason.
 */
export async function connectUdp(
  host: string,
  port: number,
  signal: AbortSignal,
  deps: { readonly clock: Clock },
): Promise<UdpStream> {
  const { address, family } = await unlessAborted(lookup(host), signal);
  const socket = dgram.createSocket(family === 6 ? "udp6" : "udp4");
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.connect(port, address, resolve);
    });
    socket.removeAllListeners("error");
    signal.throwIfAborted();
    return new UdpStream(socket, deps);
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Looking a name up cannot be broken off; it can be left. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}
