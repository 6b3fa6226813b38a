import type { Directory, Lookup, Service } from "../cluster/directory.ts";
import type { Duplex } from "../stream/duplex.ts";
import type { ClusterDialer } from "../tunnel/cluster_dialer.ts";
import { type Dialer, DialError, type DialOptions, type Target, targetName } from "../tunnel/dialer.ts";
import { findCandidates } from "../tunnel/find_candidates.ts";
import type { PodPort } from "../tunnel/pod_port.ts";
import type { RelayDialer } from "./relay_dialer.ts";

/** What a {@linkcode RelayedCluster} chooses between. */
export interface RelayedClusterDeps {
  readonly relay: RelayDialer;
  readonly cluster: Pick<ClusterDialer, "dialFound" | "dialPods">;
  readonly directory: Pick<Directory, "lookup" | "endpoints" | "pods" | "zone">;
}

/** Dials what is the cluster's through the relay, and by port-forward while no link to the relay stands. */
export class RelayedCluster implements Dialer {
  readonly #deps: RelayedClusterDeps;

  constructor(deps: RelayedClusterDeps) {
    this.#deps = deps;
  }

  /** As `ClusterDialer.dial`. */
  async dial(target: Target, options: DialOptions): Promise<Duplex> {
    return await this.dialFound(await this.#deps.directory.lookup(target.host, options.signal), target, options);
  }

  /** As `ClusterDialer.dialFound`. */
  async dialFound(found: Lookup, target: Target, options: DialOptions): Promise<Duplex> {
    const { relay, cluster } = this.#deps;
    if (!relay.linked) return await this.#meanwhile(target, () => cluster.dialFound(found, target, options));
    const host = await this.#hostOf(found, target, options.signal);
    if (host === undefined) return await cluster.dialFound(found, target, options); // which says why
    return await relay.dial({ ...target, host }, options, target);
  }

  /** As `ClusterDialer.dialPods`; with `early` only the first of them is tried. */
  async dialPods(
    candidates: readonly PodPort[],
    name: string,
    options: DialOptions,
    more?: () => Promise<readonly PodPort[]>,
  ): Promise<Duplex> {
    const { relay, cluster } = this.#deps;
    let failure: unknown;
    for (const { addresses: [host] = [], port } of relay.linked ? candidates : []) {
      if (host === undefined) continue;
      try {
        return await relay.dial({ host, port }, options, { host: name, port });
      } catch (error) {
        options.signal.throwIfAborted();
        failure = error;
      }
    }
    if (failure instanceof DialError && failure.kind === "refused") throw failure;
    return await cluster.dialPods(candidates, name, options, more);
  }

  /** What the relay is to dial; undefined for what is not there, or not the cluster's. */
  async #hostOf(found: Lookup, target: Target, signal: AbortSignal): Promise<string | undefined> {
    switch (found.kind) {
      case "service":
        return await this.#ofService(found.service, target, signal);
      case "endpoint":
        return found.endpoint.addresses[0];
      case "pod":
        return found.pod.ips[0];
      case "forbidden":
        return target.host; // hidden from us, not from the relay
      case "missing":
      case "empty":
      case "foreign":
        return undefined;
    }
  }

  /** A ClusterIP, which spares the relay a look-up; what its port forwarding rules would drop without a word is told. */
  async #ofService(service: Service, { port, network }: Target, signal: AbortSignal): Promise<string> {
    const { directory } = this.#deps;
    if (service.kind === "ExternalName") return service.externalName;
    if (network !== "udp") {
      try {
        await findCandidates(service, port, directory, signal);
      } catch (error) {
        if (!(error instanceof DialError) || error.kind !== "forbidden") throw error;
      }
    } else if (
      service.kind === "ClusterIP" && !service.ports.some((each) => each.port === port && each.protocol === "UDP")
    ) {
      throw new DialError(
        "refused",
        `Service "${service.name}" in namespace "${service.namespace}" has no UDP port ${port}`,
      );
    }
    // The dot keeps it from being searched for in the relay's namespace first.
    return service.clusterIPs[0] ?? `${service.name}.${service.namespace}.svc.${directory.zone}.`;
  }

  async #meanwhile(target: Target, dial: () => Promise<Duplex>): Promise<Duplex> {
    try {
      return await dial();
    } catch (error) {
      if (!(error instanceof DialError) || error.kind !== "unsupported") throw error;
      throw new DialError(
        "unreachable",
        `Cannot reach ${targetName(target)}: the relay is away, and is being brought back`,
        { cause: error },
      );
    }
  }
}
