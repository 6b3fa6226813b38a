/** One request that the API server was asked. */
export interface CountedRequest {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Kubernetes' verb: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`. */
  readonly verb: string;
  /** Empty where not authenticated. */
  readonly user: string;
  /** As answered; 101 for upgrades. */
  readonly status: number;
}

/** What was asked of a practice cluster, for assertions. */
export class Counters {
  /** TCP connections accepted by the line. */
  connections = 0;
  /** Of these, those still open. */
  openConnections = 0;
  /** TLS handshakes finished. */
  tlsConnections = 0;
  /** Upgrades (port-forward sessions) open now. */
  openUpgrades = 0;
  /** Upgrades ever. */
  upgrades = 0;
  /** Forwarded connections (stream pairs) open now. */
  openStreams = 0;
  /** Forwarded connections ever. */
  streams = 0;
  /** Watches open now. */
  openWatches = 0;
  /** SPDY PINGs answered. */
  pings = 0;
  /** All requests, in the order in which they came. */
  readonly requests: CountedRequest[] = [];
  /** What clients have written: `create services dev/orders`, `patch …`, `delete …`; empty proves that nothing was touched. */
  readonly writes: string[] = [];

  /** How many requests had this verb and a path that matches. */
  count(verb: string, path: RegExp | string = /./): number {
    return this.requests.filter((r) =>
      r.verb === verb && (typeof path === "string" ? r.path === path : path.test(r.path))
    )
      .length;
  }
}
