import type { V1Ingress, V1LoadBalancerIngress, V1Node, V1Service } from "@kubernetes/client-node";
import { type Api, ApiError } from "../cluster/api.ts";
import type { Clock } from "../platform/clock.ts";
import { objectNames } from "./names.ts";
import { paths } from "./paths.ts";
import type { Plan } from "./plan.ts";

/** How a preview is reached from outside the cluster. */
export interface Reach {
  /** `203.0.113.7:80`, or a URL where HTTP is all that comes through. */
  readonly addresses: readonly string[];
  /** What else there is to know, in sentences. */
  readonly notes: readonly string[];
}

/** What finding it out uses of the world. */
export interface ReachDeps {
  readonly api: Api;
  readonly clock: Clock;
  readonly onProgress?: (state: string) => void;
}

const interval = 500;
/** Clouds take their time for a load balancer, Ingress controllers less. */
const patience = { LoadBalancer: 90_000, Ingress: 30_000 } as const;
/** So many nodes are enough to choose from. */
const nodeLimit = 3;

/** Finds out how a preview with `external` is reached, once the cluster has given it an address, for which it waits up to 90 s. Rejects as `api` does. */
export async function reachPreview(plan: Plan, deps: ReachDeps, signal: AbortSignal): Promise<Reach | undefined> {
  try {
    switch (plan.external?.type) {
      case undefined:
        return undefined;
      case "NodePort":
        return await byNodePort(plan, deps.api, signal);
      case "LoadBalancer":
        return await byLoadBalancer(plan, deps, signal);
      case "Ingress":
        return await byIngress(plan, plan.external.host, deps, signal);
    }
  } finally {
    deps.onProgress?.("");
  }
}

async function byNodePort({ namespace, service }: Plan, api: Api, signal: AbortSignal): Promise<Reach> {
  const { spec } = await api.get<V1Service>(`${paths.services(namespace)}/${service}`, {}, signal);
  const ports = (spec?.ports ?? []).flatMap(({ nodePort }) => nodePort ?? []);
  try {
    const { items } = await api.list<V1Node>("/api/v1/nodes", {}, signal);
    const hosts = items.flatMap(addressOf).slice(0, nodeLimit);
    const addresses = hosts.flatMap((host) => ports.map((port) => joined(host, port)));
    return { addresses, notes: items.length > nodeLimit ? [`${items.length - nodeLimit} more nodes answer, too`] : [] };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
    return {
      addresses: [],
      notes: [
        `it is reached at port ${
          ports.join(" or ")
        } of any node, whose addresses you may not list: ask whoever runs the cluster for one`,
      ],
    };
  }
}

async function byLoadBalancer({ namespace, service }: Plan, deps: ReachDeps, signal: AbortSignal): Promise<Reach> {
  const path = `${paths.services(namespace)}/${service}`;
  const { addresses, object } = await awaitAddress<V1Service>(path, "LoadBalancer", deps, signal);
  const ports = (object.spec?.ports ?? []).map(({ port }) => port);
  if (addresses.length > 0) {
    return { addresses: addresses.flatMap((host) => ports.map((port) => joined(host, port))), notes: [] };
  }
  return {
    addresses: [],
    notes: [
      `the cluster has given it no address within ${
        patience.LoadBalancer / 1000
      } s, and may have nobody who does: kubectl -n ${namespace} get service ${service} shows it once there is one; --external nodeport needs nobody`,
    ],
  };
}

async function byIngress(
  { namespace, service }: Plan,
  host: string,
  deps: ReachDeps,
  signal: AbortSignal,
): Promise<Reach> {
  const path = `${paths.ingresses(namespace)}/${objectNames(service).agent}`;
  const { addresses } = await awaitAddress<V1Ingress>(path, "Ingress", deps, signal);
  return {
    addresses: [`http://${host}/`],
    notes: [
      addresses.length > 0
        ? `"${host}" has to resolve to ${addresses.join(" or ")}: curl --connect-to '${host}:80:${
          joined(addresses[0] ?? "", 80)
        }' http://${host}/ does not ask`
        : `no Ingress controller has taken it within ${
          patience.Ingress / 1000
        } s: where none is the default, name its class, --external ingress=${host}@CLASS`,
    ],
  };
}

interface Balanced {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly V1LoadBalancerIngress[] } };
}

async function awaitAddress<T extends Balanced>(
  path: string,
  kind: keyof typeof patience,
  { api, clock, onProgress }: ReachDeps,
  signal: AbortSignal,
): Promise<{ readonly addresses: readonly string[]; readonly object: T }> {
  onProgress?.(`Waiting up to ${patience[kind] / 1000} s for an address from outside; inside the cluster it is live…`);
  for (const deadline = clock.now() + patience[kind];; await clock.sleep(interval, signal)) {
    const object = await api.get<T>(path, {}, signal);
    const addresses = (object.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
    if (addresses.length > 0 || clock.now() >= deadline) return { addresses, object };
  }
}

function addressOf({ status }: V1Node): string[] {
  const find = (wanted: string) => status?.addresses?.find(({ type }) => type === wanted)?.address;
  const address = find("ExternalIP") ?? find("InternalIP");
  return address === undefined ? [] : [address];
}

function joined(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
