import net from "node:net";
import type { Network, RealAddress } from "./network.ts";
import type { ListenOn, PodConnection } from "./program.ts";

/** The sockets of one pod: real ones on loopback, known to the network under the pod's addresses. */
export class PodSockets {
  readonly #network: Network;
  readonly #pod: string;
  readonly #ips: readonly string[];
  readonly #address: string;
  readonly #servers = new Set<net.Server>();
  readonly #sockets = new Set<net.Socket>();
  /** By port and what it is bound on: the last wins. */
  readonly #unbind = new Map<string, () => void>();

  /** `pod` is its uid, `address` the loopback address to bind. */
  constructor(network: Network, pod: string, ips: readonly string[], address: string) {
    this.#network = network;
    this.#pod = pod;
    this.#ips = ips;
    this.#address = address;
  }

  /** See `Container.listen`. */
  async listen(port: number, onConnection: (connection: PodConnection) => void, on: ListenOn = "all"): Promise<void> {
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      onConnection(podConnection(socket));
    });
    const real = await this.#open(server, port);
    this.#servers.add(server);
    this.#bind(port, on, real);
  }

  /** As `Container.reserve`, with the whole address; port 0 is any. */
  async reserve(port: number, on: ListenOn = "all"): Promise<RealAddress> {
    const server = net.createServer();
    const real = await this.#open(server, port);
    await new Promise((resolve) => server.close(resolve));
    this.#bind(port || real, on, real);
    return { hostname: this.#address, port: real };
  }

  /** Closes the listeners and resets the connections. */
  async close(): Promise<void> {
    for (const unbind of this.#unbind.values()) unbind();
    const closed = [...this.#servers].map((server) => new Promise((resolve) => server.close(resolve)));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await Promise.all(closed);
  }

  #bind(port: number, on: ListenOn, real: number): void {
    const binding = { pod: this.#pod, ips: this.#ips, port, on, real: { hostname: this.#address, port: real } };
    this.#unbind.get(`${port} ${on}`)?.();
    this.#unbind.set(`${port} ${on}`, this.#network.bind(binding));
  }

  /** Opens the port itself, or any other where it is taken (by another practice cluster) or not allowed. */
  async #open(server: net.Server, port: number): Promise<number> {
    for (const candidate of [port, 0]) {
      const failure = await new Promise<Error | undefined>((resolve) => {
        server.once("error", resolve);
        server.listen(candidate, this.#address, () => {
          server.off("error", resolve);
          resolve(undefined);
        });
      });
      if (!failure) break;
      if (candidate === 0) throw failure;
    }
    return (server.address() as net.AddressInfo).port; // a TCP server that listens has an AddressInfo
  }
}

function podConnection(socket: net.Socket): PodConnection {
  const arrived: Uint8Array[] = [];
  let ended = false;
  let failure: Error | undefined;
  let wake: () => void = () => {};
  socket.on("data", (chunk: Uint8Array) => {
    arrived.push(chunk);
    socket.pause();
    wake();
  });
  socket.on("end", () => {
    ended = true;
    wake();
  });
  socket.on("error", (error) => {
    failure = error;
    wake();
  });
  socket.on("close", () => {
    ended = true;
    wake();
  });
  return {
    async read() {
      while (arrived.length === 0) {
        if (failure) throw failure;
        if (ended) return null;
        const change = new Promise<void>((resolve) => wake = resolve);
        socket.resume();
        await change;
      }
      return arrived.shift()!;
    },
    write(data) {
      return new Promise((resolve, reject) => socket.write(data, (error) => error ? reject(error) : resolve()));
    },
    closeWrite: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
    close: () => socket.destroySoon(),
  };
}
