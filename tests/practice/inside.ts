import { isIP } from "node:net";
import type { KubeObject } from "./kube_object.ts";
import type { Network, RealAddress } from "./network.ts";
import type { ServiceObject } from "./service_object.ts";
import type { Store } from "./store.ts";

interface Endpoints extends KubeObject {
  readonly subsets?: readonly {
    readonly addresses?: readonly { readonly ip: string; readonly hostname?: string }[];
    readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol: string }[];
  }[];
}

/** The cluster's network as its pods see it: DNS names, and ClusterIPs that balance over ready endpoints. */
export class Inside {
  readonly #store: Pick<Store, "get" | "list">;
  readonly #network: Network;
  readonly #extra: Map<string, RealAddress>;
  /** Addresses of names outside the cluster. */
  readonly #outside = new Map<string, string>();
  readonly #turns = new Map<string, number>();

  /** `store` is what its proxies know of the cluster. `extra` maps addresses beside pods', as `IP:PORT`. */
  constructor(store: Pick<Store, "get" | "list">, network: Network, extra: Map<string, RealAddress>) {
    this.#store = store;
    this.#network = network;
    this.#extra = extra;
  }

  /** Opens a connection. Rejects as {@linkcode route} throws, and where nobody listens. */
  async dial(host: string, port: number, namespace: string): Promise<Deno.TcpConn> {
    const real = this.route(host, port, namespace);
    const socket = await Deno.connect(real);
    socket.setNoDelay(true);
    return socket;
  }

  /**
   * The real socket that a connection from a pod of the namespace would come to. Throws `Deno.errors.ConnectionRefused`, or
   * `Deno.errors.NotFound` for a name that does not exist.
   */
  route(host: string, port: number, namespace: string): RealAddress {
    const ip = isIP(host) ? host : this.#resolve(host, namespace);
    const service = this.#store.list<ServiceObject>("services").find((s) => s.spec.clusterIPs?.includes(ip));
    const target = service ? this.#balance(service, port) : { ip, port };
    const real = this.#network.at(target.ip, target.port) ?? this.#extra.get(`${target.ip}:${target.port}`);
    if (real) return real;
    throw new Deno.errors.ConnectionRefused(`Connection to "${host}" port ${port} is refused in the practice cluster`);
  }

  /** Puts a host outside the cluster: a name or an address, one port of which is a real socket. */
  addOutside(host: string, port: number, real: RealAddress): void {
    const address = isIP(host) ? host : this.#outside.get(host) ?? `203.0.113.${this.#outside.size + 1}`;
    if (!isIP(host)) this.#outside.set(host, address);
    this.#extra.set(`${address}:${port}`, real);
  }

  /** Addresses of a name, as the cluster's DNS answers in a pod of the namespace. Throws `Deno.errors.NotFound`. */
  lookup(host: string, namespace: string): string[] {
    return [isIP(host) ? host : this.#resolve(host, namespace)];
  }

  #resolve(host: string, from: string): string {
    const outside = this.#outside.get(host.toLowerCase().replace(/\.$/, ""));
    if (outside) return outside;
    const labels = host.toLowerCase().replace(/\.$/, "").replace(/\.svc(\.cluster\.local)?$/, "").split(".");
    for (const namespace of [from, labels.at(-1)!]) {
      const rest = namespace === from && labels.at(-1) !== from || labels.length === 1 ? labels : labels.slice(0, -1);
      const service = this.#store.get<ServiceObject>("services", namespace, rest.at(-1) ?? "");
      if (!service || rest.length > 2) continue;
      const clusterIP = service.spec.clusterIP;
      if (service.spec.type === "ExternalName") return this.#resolve(service.spec.externalName ?? "", namespace);
      if (clusterIP && clusterIP !== "None" && rest.length === 1) return clusterIP;
      const addresses = this.#endpoints(service).subsets?.flatMap((subset) => subset.addresses ?? []) ?? [];
      const found = rest.length === 2
        ? addresses.find(({ ip, hostname }) => hostname === rest[0] || ip.replaceAll(".", "-") === rest[0])
        : addresses[this.#turn(service, addresses.length)];
      if (found) return found.ip;
    }
    throw new Deno.errors.NotFound(`"${host}" does not exist in the practice cluster`);
  }

  #balance(service: ServiceObject, port: number): { ip: string; port: number } {
    const number = service.spec.ports?.findIndex((p) => p.port === port && p.protocol === "TCP") ?? -1;
    const name = service.spec.ports?.[number]?.name ?? "";
    const targets = (this.#endpoints(service).subsets ?? []).flatMap((subset) => {
      const target = subset.ports?.find((p) => (p.name ?? "") === name && p.protocol === "TCP");
      return target ? (subset.addresses ?? []).map(({ ip }) => ({ ip, port: target.port })) : [];
    });
    return number < 0 ? { ip: "", port } : targets[this.#turn(service, targets.length)] ?? { ip: "", port };
  }

  #endpoints(service: ServiceObject): Partial<Endpoints> {
    return this.#store.get<Endpoints>("endpoints", service.metadata.namespace ?? "", service.metadata.name) ?? {};
  }

  /** One after another. */
  #turn(service: ServiceObject, count: number): number {
    const turn = this.#turns.get(service.metadata.uid) ?? 0;
    this.#turns.set(service.metadata.uid, turn + 1);
    return count ? turn % count : 0;
  }
}
