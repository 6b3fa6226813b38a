/**
 * What the laptop and the agent in the cluster say to each other. The laptop reaches the agent's link port on the pod's loopback by port-forward; both
 * say one line of JSON ({@linkcode Hello}, {@linkcode Welcome}), then the connection is a yamux link (`tunnel/mux.ts`) with the laptop as client. The first
 * stream that the laptop opens is the control stream: lines of JSON both ways. Every other stream begins with one line of JSON that says what it
 * is for ({@linkcode DialRequest} from the laptop, {@linkcode Delivery} from the agent), is answered by one ({@linkcode StreamAnswer}), and is plain
 * bytes from there on.
 */

/** Versions of the protocol that this code speaks. A side that meets another picks the highest that both know, or says that there is none. */
export const protocolVersions = { lowest: 1, highest: 1 } as const;

/** Lines of JSON are bounded. */
export const lineLimit = 64 * 1024;

/** The laptop's first line. */
export interface Hello {
  readonly hawser: { readonly lowest: number; readonly highest: number };
  readonly token: string;
  readonly owner: Owner;
}

/** Who holds a link. The identity stays the same when a broken link is opened anew. */
export interface Owner {
  /** Random, one for each running hawser. */
  readonly id: string;
  /** For people: `alice@laptop`. */
  readonly name: string;
}

/** The agent's first line. A token that is not its own is that of an agent before or after it, which has or had the same name. */
export type Welcome =
  | { readonly hawser: number; readonly agent: string }
  | { readonly error: string; readonly reason?: "token" };

/** Lines of the control stream from the laptop. Each is answered by a {@linkcode ControlAnswer} with the same `seq`. */
export type ControlRequest =
  /** Replaces all rules of this owner; none takes effect where one is refused. With `observe` the laptop is told of all that comes to it. */
  | { readonly seq: number; readonly type: "rules"; readonly rules: readonly Rule[]; readonly observe?: boolean }
  /** Who is linked here. */
  | { readonly seq: number; readonly type: "owners" }
  /** Nothing new comes to anybody's laptop any more; answered once what is under way is done, or after `ms`. */
  | { readonly seq: number; readonly type: "drain"; readonly ms: number };

/** Answers on the control stream. */
export type ControlAnswer =
  | { readonly seq: number; readonly ok: true; readonly owners?: readonly OwnerRules[] }
  /** `holder` is who has the same mark, or the port, already. */
  | { readonly seq: number; readonly ok: false; readonly error: string; readonly holder?: string };

/** What the agent tells by itself on the control stream. */
export type ControlEvent =
  /** Of somebody else; `lost` is whose link broke, and who may be back soon. */
  | { readonly event: "joined" | "left" | "lost"; readonly owner: string }
  /** TLS comes to a port for which this laptop has marks: no mark can be seen in it, so it goes whole to the exchange or the original pods. Told once. */
  | { readonly event: "encrypted"; readonly port: number }
  /** Requests that came to this laptop and were answered; told at most once a second. */
  | { readonly event: "served"; readonly rule: string; readonly count: number }
  /** What came to this laptop, where it asked for that; `missed` is how much more there was than could be told. */
  | { readonly event: "seen"; readonly seen: readonly Seen[]; readonly missed: number };

/** Something that came to a laptop. Times are in milliseconds, sizes in bytes without heads. */
export type Seen =
  /** A request that is over; `status` is 0 where the client left without an answer, `path` is without query, and both are printable ASCII. */
  | {
    readonly kind: "request";
    readonly rule: string;
    readonly remote: string;
    readonly method: string;
    readonly path: string;
    readonly status: number;
    readonly ms: number;
    readonly bytes: number;
  }
  /** A connection that is no HTTP. */
  | { readonly kind: "opened"; readonly rule: string; readonly remote: string }
  | {
    readonly kind: "closed";
    readonly rule: string;
    readonly remote: string;
    readonly ms: number;
    /** To the laptop, and from it. */
    readonly sent: number;
    readonly received: number;
  };

/** Somebody who is linked, and their rules. */
export interface OwnerRules {
  readonly id: string;
  /** For people. */
  readonly owner: string;
  readonly rules: readonly Rule[];
}

/** Which traffic comes to a laptop. */
export interface Rule {
  /** Unique for its owner. */
  readonly id: string;
  /** The port on which the agent receives it. */
  readonly port: number;
  /** All must hold; none at all is an exchange: everything on the port that no other rule takes. */
  readonly match: readonly Match[];
  /** What happens where the laptop's program does not take the connection: the original pods answer, or the request fails with 502. */
  readonly fallback: "origin" | "error";
}

/**
 * A condition on an HTTP request. Names of headers are lower case; values of headers and cookies are compared as they are, those of queries once
 * decoded; `path` is what stands before the query. A regular expression must match the whole value.
 */
export interface Match {
  readonly kind: "header" | "cookie" | "query" | "path";
  /** Empty for `path`. */
  readonly name: string;
  readonly how: "equals" | "prefix" | "regex";
  readonly value: string;
}

/** The agent's first line on a stream of its own: traffic for the laptop. Plain bytes of the client's connection follow, or whole HTTP messages. */
export interface Delivery {
  readonly rule: string;
  readonly port: number;
  /** Address of the client as the agent sees it. */
  readonly remote: string;
}

/** The laptop's first line on a stream of its own: a connection to be dialed from inside the cluster (the relay). */
export interface DialRequest {
  readonly network: "tcp" | "udp";
  readonly host: string;
  readonly port: number;
  /** Nobody waits for the answer, if it is yes: it may come along with the first bytes. */
  readonly early?: boolean;
}

/** The first line back. `kind` is that of a DialError. UDP: each datagram that follows has two bytes of length (big endian) before it. */
export type StreamAnswer =
  | { readonly ok: true }
  | {
    readonly ok: false;
    readonly kind: "refused" | "unknown" | "unreachable" | "timeout" | "forbidden" | "unsupported";
    readonly error: string;
  };

/** The agent's configuration, in the environment variable `HAWSER_AGENT` of its container. */
export interface AgentConfig {
  /** The one address to listen on, links included; default all, and loopback for links. */
  readonly address?: string;
  /** Where links arrive, on loopback only. */
  readonly linkPort: number;
  /** File that holds the token which links must show. */
  readonly tokenFile: string;
  /** Ports that take the service's traffic; empty for a relay. */
  readonly ports: readonly AgentPort[];
  /** Port of the readiness probe (HTTP, any path), on all addresses. */
  readonly healthPort: number;
  /** For people: `dev/orders`. */
  readonly service: string;
  /** From when on it says that it is ready: once a laptop has had rules, or only while one has. Default: at once. */
  readonly ready?: "linked" | "while-linked";
}

/** A port that takes traffic. */
export interface AgentPort {
  readonly port: number;
  /** Where it goes without a rule; absent where there is nobody but the laptop, which goes on answering during a drain then. */
  readonly origin?: { readonly host: string; readonly port: number };
  /** What callers are told, with 503, where there is no origin and no laptop. */
  readonly nobody?: string;
}
