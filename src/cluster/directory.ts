/** A Service, reduced to what reaching it needs. */
export interface Service {
  readonly namespace: string;
  readonly name: string;
  readonly kind: "ClusterIP" | "Headless" | "ExternalName";
  /** Cluster addresses, one per family, in the order of `spec.clusterIPs`; empty unless `kind` is ClusterIP. */
  readonly clusterIPs: readonly string[];
  /** Target of an ExternalName, lower case, without trailing dot; empty otherwise. */
  readonly externalName: string;
  readonly ports: readonly ServicePort[];
  /** Empty where endpoints are managed by hand. */
  readonly selector: Readonly<Record<string, string>>;
  /** Seconds for which one client keeps one pod (`sessionAffinity: ClientIP`), 0 for none. */
  readonly affinity: number;
  readonly publishNotReadyAddresses: boolean;
  /** Made by hawser for its own use, so that nobody needs to see it. */
  readonly own?: true;
}

/** A port of a Service. */
export interface ServicePort {
  /** Empty where unnamed. */
  readonly name: string;
  readonly port: number;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  /** A number, or the name of a container port. */
  readonly targetPort: number | string;
}

/** Which pod exactly: StatefulSets reuse names, so the uid counts. */
export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** One endpoint of a Service: slices of both families merged. */
export interface Endpoint {
  /** All addresses of this endpoint, IPv4 first. */
  readonly addresses: readonly string[];
  /** DNS host name (StatefulSet pods and the like), empty for none. */
  readonly hostname: string;
  /** The pod behind it; undefined for hand-made endpoints whose address is no known pod's. */
  readonly pod: PodRef | undefined;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** The already resolved target ports. `port` 0 means any. */
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
}

/** A pod, reduced to what reaching and explaining it needs. */
export interface Pod extends PodRef {
  readonly ips: readonly string[];
  readonly hostname: string;
  readonly subdomain: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly phase: string;
  readonly ready: boolean;
  readonly terminating: boolean;
  /** Why it does not serve, in Kubernetes' own words: `CrashLoopBackOff: back-off 40s restarting…`; empty where it does. */
  readonly reason: string;
  /** It has no address of its own but its node's, which stands for the node. */
  readonly hostNetwork?: boolean;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
}

/**
 * What a name or address means in the cluster. `via` holds the ExternalName services that led there, in order, where there were any.
 * `mayBeForeign` marks short names that could as well be somebody else's: `react.dev` where the cluster has a namespace `dev`. Try them
 * outside before giving up.
 */
export type Lookup =
  /** A Service by any of its names or its ClusterIP; of kind ExternalName only where that leads out of the cluster. */
  | { readonly kind: "service"; readonly service: Service; readonly via?: readonly Service[] }
  /** One endpoint of a service by its host name (`web-0.web`, `10-1-2-3.web.ns.svc…`), ready or not. */
  | {
    readonly kind: "endpoint";
    readonly service: Service;
    readonly endpoint: Endpoint;
    readonly via?: readonly Service[];
  }
  /** A pod by address or by `10-1-2-3.ns.pod.zone`. */
  | { readonly kind: "pod"; readonly pod: Pod }
  /** A name that belongs to the cluster but stands for no address: a bare namespace, `svc.zone` (NODATA in DNS). */
  | { readonly kind: "empty" }
  /** Under the cluster's zone, or `name.namespace` of an existing namespace, but nothing is there (NXDOMAIN). */
  | {
    readonly kind: "missing";
    readonly message: string;
    readonly mayBeForeign?: boolean;
    readonly via?: readonly Service[];
  }
  /** The cluster's, but we may not look; the message names the missing right. */
  | {
    readonly kind: "forbidden";
    readonly message: string;
    readonly mayBeForeign?: boolean;
    readonly via?: readonly Service[];
  }
  /** None of the cluster's business; `unanswered` where the API server did not say so in time, which leaves it likely. */
  | { readonly kind: "foreign"; readonly unanswered?: boolean };

/** A live view of what the cluster offers. Made by `openDirectory`. */
export interface Directory {
  /** The namespace whose services have single-label names. */
  readonly namespace: string;
  /** Namespaces under watch, `namespace` first. */
  readonly namespaces: readonly string[];
  /** The cluster's DNS zone, `cluster.local` by default; lower case, no trailing dot. */
  readonly zone: string;
  /**
   * What a host means; names in any case, with or without trailing dot; addresses v4 or v6. Asks the API where its own view does not
   * reach; rejects with an ApiError or AccessError where that fails and the name can be none but the cluster's.
   */
  lookup(host: string, signal: AbortSignal): Promise<Lookup>;
  /** All endpoints of a service, ready or not, in a stable order. Rejects with an ApiError where no right suffices to know them. */
  endpoints(service: Service, signal: AbortSignal): Promise<readonly Endpoint[]>;
  /** The pods a service selects, to say why none serves; empty where pods may not be read. */
  pods(service: Service, signal: AbortSignal): Promise<readonly Pod[]>;
  /** Whether a pod is still there, be it on its way out; undefined where its namespace's pods are not watched. */
  hasPod(pod: PodRef): boolean | undefined;
  /** Services of the watched namespaces, sorted by namespace, then name. */
  services(): readonly Service[];
  /** Calls back after each change of the view; returns the function that ends it. */
  onChange(listener: () => void): () => void;
  close(): void;
}
