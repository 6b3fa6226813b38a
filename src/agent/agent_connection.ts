import { ClientConnection, type ClientConnectionDeps } from "../stream/client_connection.ts";
import type { TcpStream } from "../stream/tcp_stream.ts";
import { dialOrigin } from "./dial_origin.ts";
import type { Owners } from "./owners.ts";
import type { AgentPort } from "./protocol.ts";

/** What all connections to one port of the agent share. */
export interface Entrance extends Omit<ClientConnectionDeps, "traffic"> {
  readonly port: AgentPort;
  /** For people: `dev/orders`. */
  readonly service: string;
  readonly owners: Owners;
}

/** One client's connection to a port of the agent. */
export class AgentConnection extends ClientConnection {
  readonly entrance: Entrance;
  /** The client's address, without its port. */
  readonly remote: string;
  #onFinish: (() => void) | undefined;

  constructor(stream: TcpStream, entrance: Entrance) {
    super(stream, { ...entrance, traffic: { sent: 0, received: 0 } });
    this.entrance = entrance;
    // A socket for both families shows IPv4 as ::ffff:10.0.0.1.
    this.remote = stream.remote.replace(/:\d+$/, "").replace(/^::ffff:(?=[0-9.]+$)/i, "");
    stream.keepAlive(60);
  }

  /** Has the client come back on a new connection: this one ends with its next answer. */
  finish(): void {
    this.closing = true;
    this.#onFinish?.();
  }

  /** Calls `action` when the connection is to finish, at once where it was said before. */
  onFinish(action: () => void): void {
    this.#onFinish = action;
    if (this.closing) action();
  }

  /** Connects to the original pods. Rejects with an `OriginError`; where there are none, the client is to come back on a new connection, which may lead elsewhere. */
  dialOrigin(): Promise<TcpStream> {
    const { port, service, clock } = this.entrance;
    if (!port.origin) this.finish();
    return dialOrigin(port, service, { clock });
  }
}
