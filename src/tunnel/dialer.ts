import type { Duplex } from "../stream/duplex.ts";

/** What a connection is wanted to. */
export interface Target {
  /** A name or an address as the program gave it; IPv6 without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  /** Default TCP. A stream to UDP carries datagrams as `frameDatagram` makes them. */
  readonly network?: "tcp" | "udp";
}

/** A target in a sentence. */
export function targetName({ host, port }: Target): string {
  return `"${host.includes(":") ? `[${host}]` : host}:${port}"`;
}

/** Why a connection could not be had; the proxy maps it to SOCKS and HTTP codes. */
export type DialErrorKind =
  /** Nothing listens there. */
  | "refused"
  /** The name does not exist (NXDOMAIN). */
  | "unknown"
  /** It exists, but no pod can answer now. */
  | "not-ready"
  /** The cluster's rules or ours do not allow it. */
  | "forbidden"
  /** The way there is broken: API server lost, network down. */
  | "unreachable"
  /** No answer in time. */
  | "timeout"
  /** It exists, but cannot be reached this way (UDP, a private ExternalName without relay). */
  | "unsupported";

/** A connection that could not be had. The message is a sentence for people that names the target, its state and the next step. */
export class DialError extends Error {
  override readonly name = "DialError";
  readonly kind: DialErrorKind;
  constructor(kind: DialErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** How a dialer is to go about it. */
export interface DialOptions {
  readonly signal: AbortSignal;
  /**
   * Hand the stream over before the far side has confirmed the connection, which saves a round trip; a refusal then comes as a
   * {@linkcode DialError} from the first `read`. Default false: the promise settles once the outcome is known.
   */
  readonly early?: boolean;
  /** Who asks, for session affinity: the same text gets the same pod. */
  readonly client?: string;
}

/** Opens streams. Rejects with a {@linkcode DialError}. */
export interface Dialer {
  dial(target: Target, options: DialOptions): Promise<Duplex>;
}
