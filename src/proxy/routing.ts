import type { ProxiedScheme } from "../platform/proxy_settings.ts";
import type { Directory } from "../cluster/directory.ts";
import { isPrivateAddress } from "../cluster/private_address.ts";
import type { Duplex } from "../stream/duplex.ts";
import { type Dialer, DialError, type DialOptions, type Target } from "../tunnel/dialer.ts";
import type { DirectDialer } from "./direct_dialer.ts";
import { type HostPattern, parseHostPattern } from "./host_pattern.ts";
import { isLinkLocal, isLoopback } from "./local_host.ts";
import type { Route } from "./route.ts";

/** What the user has decided about hosts; patterns as `parseHostPattern` reads them. */
export interface RouterOptions {
  /** Always direct. */
  readonly exclude?: readonly string[];
  /** Through the relay, where the cluster itself does not know them. */
  readonly include?: readonly string[];
}

/** What the router chooses among. */
export interface RouterDeps {
  readonly directory: Pick<Directory, "lookup" | "namespace">;
  readonly cluster: Dialer;
  readonly direct: Pick<DirectDialer, "route">;
  /** Dials from inside the cluster; undefined where no relay runs. */
  readonly relay?: Dialer;
  /** What a loopback address of the tool's own stands for (`127.77.1.2` → a service); undefined for any other host. */
  readonly local?: (target: Target) => Target | undefined;
  /** The name that a made-up address of the tool's own stands for; undefined for any other. */
  readonly named?: (address: string) => string | undefined;
}

/**
 * Decides for each destination: cluster, relay, direct, or refused. In this order: `exclude` → direct; the tool's own addresses →
 * their service; loopback and link-local → direct, never the cluster; known to the directory → cluster; the cluster's but not
 * there → refused as unknown; `include` → relay; the rest → direct.
 */
export class Router implements Dialer {
  readonly #excluded: readonly HostPattern[];
  readonly #included: readonly HostPattern[];
  readonly #deps: RouterDeps;

  /** Throws a TypeError that quotes a pattern which is none. */
  constructor(options: RouterOptions, deps: RouterDeps) {
    this.#excluded = (options.exclude ?? []).map(parseHostPattern);
    this.#included = (options.include ?? []).map(parseHostPattern);
    this.#deps = deps;
  }

  /** Whether UDP reaches the cluster, which takes the relay. */
  get carriesDatagrams(): boolean {
    return this.#deps.relay !== undefined;
  }

  async dial(target: Target, options: DialOptions): Promise<Duplex> {
    return await (await this.route(target, "tcp", options.signal)).dial(options);
  }

  /** Whether the way to a destination leads through the cluster. Where there is none it is nobody's; rejects only when the signal aborts. */
  async isClusters(target: Target, signal: AbortSignal): Promise<boolean> {
    try {
      return (await this.route(target, "tcp", signal)).via !== "direct";
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof DialError) return false;
      throw error;
    }
  }

  /** The way to a destination for what will be spoken. Rejects with a {@linkcode DialError} where there is none. */
  async route(wanted: Target, scheme: ProxiedScheme, signal: AbortSignal): Promise<Route> {
    const { directory, direct, local, named } = this.#deps;
    const target = { ...wanted, host: named?.(wanted.host) ?? wanted.host };
    const matches = (pattern: HostPattern) => pattern(target.host);
    if (this.#excluded.some(matches)) return direct.route(target, scheme);
    const service = local?.(target);
    if (service) return this.#toCluster(service);
    if (isLoopback(target.host) || isLinkLocal(target.host)) return direct.route(target, scheme);
    const found = await this.#lookup(target, signal);
    switch (found.kind) {
      case "service":
      case "endpoint":
      case "pod":
        return this.#toCluster(target);
      case "missing":
      case "forbidden": {
        const kind = found.kind === "missing" ? "unknown" : "forbidden";
        if (!found.mayBeForeign) throw new DialError(kind, found.message);
        if (this.#included.some(matches)) return this.#toRelay(target);
        const outside = `As a name outside the cluster, "${target.host}" is unknown to this machine's DNS`;
        const message = kind === "unknown" ? found.message : `${found.message}. ${outside}`;
        const unknown = new DialError(kind, message);
        return { ...this.#explained(direct.route(target, scheme), unknown), ifUnknown: unknown };
      }
      case "empty":
        throw new DialError(
          "unknown",
          `"${target.host}" is a name of the cluster without an address: name a service, as in "SERVICE.NAMESPACE"`,
        );
      case "foreign": {
        if (this.#included.some(matches)) return this.#toRelay(target);
        const unknown = found.unanswered ? nobodySays(target) : nobodyKnows(target, directory.namespace);
        const route = this.#explained(direct.route(target, scheme), unknown);
        const mayBeClusters = found.unanswered || isShort(target.host);
        return this.#hinted(mayBeClusters ? { ...route, ifUnknown: unknown } : route, target);
      }
    }
  }

  async #lookup(target: Target, signal: AbortSignal): ReturnType<Directory["lookup"]> {
    try {
      return await this.#deps.directory.lookup(target.host, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof DialError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new DialError("unreachable", `"${target.host}" cannot be looked up in the cluster: ${reason}`, {
        cause: error,
      });
    }
  }

  #toCluster(target: Target): Route {
    return { via: "cluster", dial: (options) => this.#deps.cluster.dial(target, options) };
  }

  #toRelay(target: Target): Route {
    const { relay } = this.#deps;
    if (!relay) {
      throw new DialError(
        "unsupported",
        `"${target.host}" is to be reached from inside the cluster (--include), which takes the relay: start hawser with --relay`,
      );
    }
    return { via: "relay", dial: (options) => relay.dial(target, options) };
  }

  /** A private address that leads nowhere from here may be one of the cluster's that we cannot know. */
  #hinted(route: Route, target: Target): Route {
    if (!isPrivateAddress(target.host)) return route;
    return explaining(route, (error) => {
      if (error.kind !== "unreachable" && error.kind !== "timeout") return error;
      const hint = this.#deps.relay
        ? `If only the cluster can reach it: --include ${target.host}`
        : `If it is a service's, use its name: addresses are known of watched namespaces only. If only the cluster can reach it: --relay --include ${target.host}`;
      return new DialError(error.kind, `${error.message}. ${hint}`, { cause: error });
    });
  }

  /** A name that this machine's DNS does not know either is most often a slip in a service's name: `unknown` says so. */
  #explained(route: Route, unknown: DialError): Route {
    return explaining(route, (error) => error.kind === "unknown" ? unknown : error);
  }
}

/** A route whose refusals come in the words of `explain`. */
function explaining(route: Route, explain: (error: DialError) => DialError): Route {
  return {
    ...route,
    dial: async (options) => {
      try {
        return await route.dial(options);
      } catch (error) {
        throw error instanceof DialError ? explain(error) : error;
      }
    },
  };
}

/** One label, as the services of the own namespace have. */
function isShort(host: string): boolean {
  return !host.replace(/\.$/, "").includes(".");
}

function nobodySays({ host }: Target): DialError {
  return new DialError(
    "unreachable",
    `"${host}" cannot be looked up: the API server did not say in time whether the cluster knows it, and this machine's DNS does not; try again`,
  );
}

function nobodyKnows(target: Target, namespace: string): DialError {
  const [service, next] = isShort(target.host)
    ? [`no service of namespace "${namespace}"`, `"kubectl get services -n ${namespace}" lists them`]
    : ["no name of the cluster", "services of other namespaces are written NAME.NAMESPACE"];
  return new DialError(
    "unknown",
    `"${target.host}" is ${service}, and this machine's DNS does not know it either; ${next}`,
  );
}
