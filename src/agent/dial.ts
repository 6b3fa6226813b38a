import type { Clock } from "../platform/clock.ts";
import { connectTcp } from "../stream/connect_tcp.ts";
import type { TcpStream } from "../stream/tcp_stream.ts";
import type { StreamAnswer } from "./protocol.ts";

/** Why a connection out of the pod could not be had. */
export type DialFailureKind = Extract<StreamAnswer, { ok: false }>["kind"];

/** A connection out of the pod that could not be had. */
export class DialFailure extends Error {
  override readonly name = "DialFailure";
  readonly kind: DialFailureKind;
  constructor(kind: DialFailureKind, message: string, options?: ErrorOptions) {
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
  const controller = new AbortController();
  const cancel = deps.clock.after(patience, () => controller.abort());
  try {
    const stream = await connectTcp(host, port, controller.signal);
    stream.keepAlive(probeAfter);
    return stream;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
    throw new DialFailure(
      kindOf(controller.signal.aborted ? "ETIMEDOUT" : code),
      explain(host, port, controller.signal.aborted, error),
      { cause: error },
    );
  } finally {
    cancel();
  }
}

function kindOf(code: string | undefined): DialFailureKind {
  switch (code) {
    case "ECONNREFUSED":
      return "refused";
    case "ENOTFOUND":
      return "unknown";
    case "ETIMEDOUT":
      return "timeout";
    case "EACCES":
    case "EPERM":
      return "forbidden";
    default:
      return "unreachable";
  }
}

function explain(host: string, port: number, late: boolean, error: unknown): string {
  const why = late ? `no answer in ${patience / 1000} s` : error instanceof Error ? error.message : String(error);
  return `"${host}:${port}" cannot be reached from the pod: ${why}`;
}
