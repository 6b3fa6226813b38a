import type { Clock } from "../platform/clock.ts";
import type { TcpStream } from "../stream/tcp_stream.ts";
import { dial, DialFailure } from "./dial.ts";
import type { AgentPort } from "./protocol.ts";

/** The original pods cannot be had. The message is a sentence for whoever asked, `status` the HTTP status that fits it. */
export class OriginError extends Error {
  override readonly name = "OriginError";
  readonly status: 502 | 503 | 504;
  constructor(status: 502 | 503 | 504, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** Connects to the original pods of `service`. Rejects with an {@linkcode OriginError}. */
export async function dialOrigin(
  { origin, nobody }: AgentPort,
  service: string,
  deps: { readonly clock: Clock },
): Promise<TcpStream> {
  if (!origin) throw new OriginError(503, nobody ?? `Nobody serves "${service}" now: the laptop is away`);
  try {
    return await dial(origin.host, origin.port, deps);
  } catch (cause) {
    if (!(cause instanceof DialFailure)) throw cause;
    throw new OriginError(cause.kind === "timeout" ? 504 : 502, `The pods of "${service}": ${cause.message}`, {
      cause,
    });
  }
}
