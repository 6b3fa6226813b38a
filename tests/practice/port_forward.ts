import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Counters } from "./counters.ts";
import type { Link } from "./line.ts";
import type { Network } from "./network.ts";
import type { PodObject } from "./pod_object.ts";
import type { Registry } from "./registry.ts";
import type { RequestInfo } from "./request_info.ts";
import { resourceTable } from "./resource_table.ts";
import { RuntimeError } from "./runtime_error.ts";
import type { ServerFaults } from "./server_faults.ts";
import { SocketCarrier } from "./socket_carrier.ts";
import { SpdySession } from "./spdy_session.ts";
import { StatusError } from "./status_error.ts";
import { websocketAnswer } from "./websocket_answer.ts";
import { WebSocketCarrier } from "./websocket_carrier.ts";

const tunnel = "SPDY/3.1+portforward.k8s.io";
const protocol = "portforward.k8s.io";
const pods = resourceTable.get("pods")!;

/** What {@linkcode PortForward} needs. */
export interface PortForwardDeps {
  readonly registry: Registry;
  readonly network: Network;
  readonly counters: Counters;
  readonly faults: ServerFaults;
  /** The connection through the line that the server knows by its client's port. */
  readonly link: (serverSidePort: number | undefined) => Link | undefined;
  /** Milliseconds that a forwarded connection lives on when one side has ended. */
  readonly teardown: number;
}

/** `pods/portforward`: SPDY/3.1 by POST, and the same inside a WebSocket by GET. Older WebSocket protocols are answered as by a server that lacks them. */
export class PortForward {
  readonly #deps: PortForwardDeps;
  readonly #links = new Set<Link>();
  readonly #sessions = new Set<Promise<void>>();
  #frozen = false;

  constructor(deps: PortForwardDeps) {
    this.#deps = deps;
  }

  /** Takes over a connection. Throws a StatusError or a RuntimeError to refuse it. */
  upgrade(request: IncomingMessage, info: RequestInfo, socket: Duplex): void {
    const wanted = request.headers.upgrade?.toLowerCase();
    const answer = wanted === "websocket" ? this.#webSocket(request, info) : this.#spdy(request, wanted);
    const pod = this.#deps.registry.get(pods, info.namespace, info.name) as PodObject; // what is stored as a pod
    if (!pod.spec.nodeName) throw StatusError.badRequest(`pod ${info.name} does not have a host assigned`);
    if (!pod.status.podIP) {
      throw new RuntimeError(500, `unable to upgrade connection: pod not found ("${info.name}_${info.namespace}")`);
    }
    const lines = Object.entries(answer).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${lines.join("")}\r\n`);
    const link = this.#deps.link(request.socket.remotePort);
    const plain = new SocketCarrier(socket, (held) => {
      if (link) link.held = held;
    });
    const session = this.#serve(pod, wanted === "websocket" ? new WebSocketCarrier(plain) : plain, socket, link);
    this.#sessions.add(session);
    session.finally(() => this.#sessions.delete(session));
  }

  /** Resolves when all sessions have ended, which their clients see to. */
  async ended(): Promise<void> {
    await Promise.all(this.#sessions);
  }

  /** Freezes all sessions, those to come too. */
  freeze(frozen: boolean): void {
    this.#frozen = frozen;
    for (const link of this.#links) link.frozen = frozen;
  }

  async #serve(
    pod: PodObject,
    carrier: SocketCarrier | WebSocketCarrier,
    socket: Duplex,
    link: Link | undefined,
  ): Promise<void> {
    const { counters, teardown } = this.#deps;
    counters.upgrades++;
    counters.openUpgrades++;
    socket.on("close", () => {
      counters.openUpgrades--;
      if (link) this.#links.delete(link);
    });
    if (link) {
      this.#links.add(link);
      link.frozen = this.#frozen;
    }
    const { dial, explain } = this.#runtime(pod);
    await new SpdySession(carrier, { dial, explain, teardown, pairing: 30_000, counters }).run();
  }

  #webSocket(request: IncomingMessage, info: RequestInfo): Record<string, string> {
    const refused = this.#deps.faults.refuseWebSockets;
    if (refused) throw new RuntimeError(refused, "the practice cluster refuses WebSockets");
    return websocketAnswer(request, (offered) => {
      if (offered.includes(tunnel)) return tunnel;
      // Handed on to the container runtime, whose WebSocket knows older protocols only; this one knows none.
      if (!info.query.has("ports")) throw new RuntimeError(400, 'query parameter "port" is required');
      throw new RuntimeError(403, "");
    });
  }

  #spdy(request: IncomingMessage, wanted: string | undefined): Record<string, string> {
    const refused = this.#deps.faults.refuseSpdy;
    if (refused) throw new RuntimeError(refused, "the practice cluster refuses SPDY");
    if (wanted !== "spdy/3.1") {
      throw StatusError.badRequest(`unable to upgrade: missing upgrade headers in request: ${wanted}`);
    }
    const offered = [request.headers["x-stream-protocol-version"] ?? []].flat().flatMap((value) => value.split(/,\s*/));
    if (offered.length === 0) throw new RuntimeError(500, "invalid upgrade response: status code 200");
    if (!offered.includes(protocol)) {
      const negotiation = `client supports [${offered.join(" ")}], server accepts [${protocol}]`;
      const message = `unable to upgrade: unable to negotiate protocol: ${negotiation}`;
      throw new RuntimeError(403, message, { "X-Accepted-Stream-Protocol-Versions": protocol });
    }
    return { "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": protocol };
  }

  /** What containerd does, and says, for one pod. */
  #runtime(pod: PodObject) {
    const { network, registry } = this.#deps;
    const { namespace = "", name, uid } = pod.metadata;
    const sandbox = uid.replaceAll("-", "").padEnd(64, "0");
    const forwarding = (port: number, why: string) => `error forwarding port ${port} to pod ${sandbox}, uid : ${why}`;
    const inside = `failed to execute portforward in network namespace "/var/run/netns/cni-${uid}"`;
    return {
      async dial(port: number): Promise<Deno.TcpConn> {
        if (!isThere(registry, namespace, name, uid)) {
          throw new Error(forwarding(port, `failed to find sandbox "${sandbox}" in store: not found`));
        }
        const real = network.localhost(uid, port);
        const refused = forwarding(
          port,
          `${inside}: failed to connect to localhost:${port} inside namespace "${sandbox}", IPv4: dial tcp4 127.0.0.1:${port}: ` +
            `connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found `,
        );
        if (!real) throw new Error(refused);
        try {
          const socket = await Deno.connect(real);
          socket.setNoDelay(true);
          return socket;
        } catch {
          throw new Error(refused);
        }
      },
      explain(port: number, failure: Error): string {
        const reset = failure instanceof Deno.errors.ConnectionReset;
        const what = reset ? "read: connection reset by peer" : "write: broken pipe";
        return forwarding(
          port,
          `${inside}: ${reset ? "read" : "write"} tcp4 127.0.0.1:40000->127.0.0.1:${port}: ${what}`,
        );
      },
    };
  }
}

function isThere(registry: Registry, namespace: string, name: string, uid: string): boolean {
  try {
    return registry.get(pods, namespace, name).metadata.uid === uid;
  } catch {
    return false;
  }
}
