import type dgram from "node:dgram";
import type { Clock } from "../platform/clock.ts";
import { ByteQueue } from "./byte_queue.ts";
import { DatagramSplitter, frameDatagram } from "./datagram_frames.ts";
import type { Duplex } from "./duplex.ts";

/** Milliseconds without a datagram either way after which nobody is taken to need the socket any more. */
const idle = 60_000;
/** Bytes that wait for a reader; datagrams beyond are lost, as they would be in a full socket. */
const ahead = 1024 * 1024;

/**
 * A connected UDP socket as a stream of framed datagrams (`frameDatagram`). It ends after 60 s of silence, and when our direction is ended; a port that is
 * closed on the other side (ICMP) breaks it.
 */
export class UdpStream implements Duplex {
  readonly #socket: dgram.Socket;
  readonly #clock: Clock;
  readonly #arrived = new ByteQueue();
  readonly #splitter = new DatagramSplitter();
  #usedAt: number;
  #stopTimer: () => void;
  #open = true;

  /** Takes over a connected socket. */
  constructor(socket: dgram.Socket, deps: { readonly clock: Clock }) {
    this.#socket = socket;
    this.#clock = deps.clock;
    this.#usedAt = deps.clock.now();
    this.#stopTimer = deps.clock.after(idle, () => this.#look());
    const { address, port } = socket.remoteAddress();
    socket.on("message", (datagram, from) => {
      // Not every runtime connects the system's socket.
      if (from.port !== port || from.address !== address || this.#arrived.size > ahead) return;
      this.#usedAt = this.#clock.now();
      this.#arrived.push(frameDatagram(datagram));
    });
    socket.on("error", (error) => this.#end(error));
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#arrived.read(into);
  }

  write(data: Uint8Array): Promise<void> {
    try {
      for (const datagram of this.#splitter.push(data)) this.#send(datagram.slice());
    } catch (error) {
      return Promise.reject(error);
    }
    return Promise.resolve();
  }

  closeWrite(): Promise<void> {
    this.#end();
    return Promise.resolve();
  }

  reset(): void {
    this.close();
  }

  close(): void {
    this.#end();
    this.#arrived.clear();
  }

  #send(datagram: Uint8Array): void {
    if (!this.#open) return;
    this.#usedAt = this.#clock.now();
    // One that cannot be sent (too long for the network, its buffers full) is lost, as datagrams are; a closed port is told as an error of the socket.
    this.#socket.send(datagram, () => {});
  }

  #look(): void {
    const left = this.#usedAt + idle - this.#clock.now();
    if (left <= 0) this.#end();
    else this.#stopTimer = this.#clock.after(left, () => this.#look());
  }

  #end(error?: Error): void {
    if (!this.#open) return;
    this.#open = false;
    this.#stopTimer();
    this.#socket.close();
    this.#arrived.end(error);
  }
}
