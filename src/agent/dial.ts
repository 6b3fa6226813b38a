import type { Clock } from "../platform/clock.ts";
import { connectTcp } from "../stream/connect_tcp.ts";
import { connectUdp } from "../stream/connect_udp.ts";
import type { TcpStream } from "../stream/tcp_stream.ts";
import type { UdpStream } from "../stream/udp_stream.ts";
import { targetName } from "../tunnel/dialer.ts";
import type { RefusalKind } from "./announced_stream.ts";

/** A connection out of the pod that could not be had. */
export class DialFailure extends Error {
  override readonly name = "DialFailure";
  readonly kind: RefusalKind;
  constructor(kind: RefusalKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Milliseconds until a connection counts as impossible. */
const patience = 10_000;
/** Seconds of quiet after which the system probes whether the other end is still there. */
const probeAfter = 60;

/** Opens a TCP connection out of the pod. Rejects with a {@linkcode DialFailure}. */
export async function dial(host: string, port: number, deps: { readonly clock: Clock }): Promise<TcpStream> {
  const stream = await inTime(host, port, deps, (signal) => connectTcp(host, port, signal));
  stream.keepAlive(probeAfter);
  return stream;
}

/** Opens a UDP socket of the pod to one destination. Rejects with a {@linkcode DialFailure}; that nothing listens there shows later, as a broken stream. */
export function dialUdp(host: string, port: number, deps: { readonly clock: Clock }): Promise<UdpStream> {
  return inTime(host, port, deps, (signal) => connectUdp(host, port, signal, deps));
}

async function inTime<T>(
  host: string,
  port: number,
  { clock }: { readonly clock: Clock },
  connect: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const cancel = clock.after(patience, () => controller.abort());
  try {
    return await connect(controller.signal);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const [kind, why] = controller.signal.aborted
      ? late
      : reasons[code] ?? ["unreachable", error instanceof Error ? error.message : String(error)];
    throw new DialFailure(kind, `${targetName({ host, port })} cannot be reached from inside the cluster: ${why}`, {
      cause: error,
    });
  } finally {
    cancel();
  }
}

const late = ["timeout", `no answer in ${patience / 1000} s`] as const;

/** The system's error codes (errno, getaddrinfo) that have a meaning of their own here. */
const reasons: Readonly<Record<string, readonly [RefusalKind, string]>> = {
  ECONNREFUSED: ["refused", "it refuses the connection, as nothing listens there"],
  ENOTFOUND: ["unknown", "the cluster's DNS knows no such name"],
  EAI_AGAIN: ["unreachable", "the cluster's DNS gives no answer"],
  ETIMEDOUT: late,
  EHOSTUNREACH: ["unreachable", "no route to the host"],
  ENETUNREACH: ["unreachable", "no route to the network"],
  EACCES: ["forbidden", "the node does not allow it"],
  EPERM: ["forbidden", "the node does not allow it"],
};
