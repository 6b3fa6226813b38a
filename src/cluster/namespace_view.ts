import type { V1Endpoints, V1EndpointSlice, V1Pod, V1Service } from "@kubernetes/client-node";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Api } from "./api.ts";
import type { Endpoint, Pod, Service } from "./directory.ts";
import { mergeEndpoints } from "./merge_endpoints.ts";
import { toPod } from "./pod_model.ts";
import { toService } from "./service_model.ts";
import { endpointsOfEndpoints, endpointsOfPods, endpointsOfSlice, serviceNameLabel } from "./slice_model.ts";
import { WatchedList } from "./watched_list.ts";

/** The endpoints in one slice, or in one older Endpoints object. */
interface Slice {
  readonly service: string;
  readonly endpoints: readonly Endpoint[];
}

/** A live view of one namespace, as far as the user's rights go. */
export class NamespaceView {
  readonly services: WatchedList<V1Service, Service>;
  readonly pods: WatchedList<V1Pod, Pod>;
  readonly #slices: WatchedList<V1EndpointSlice, Slice>;
  /** Only where slices are not to be had. */
  #older: WatchedList<V1Endpoints, Slice> | undefined;
  readonly #openOlder: () => WatchedList<V1Endpoints, Slice>;
  // What a look at all objects yields, made when it is wanted and dropped when they change.
  #servicesByAddress: ReadonlyMap<string, Service> | undefined;
  #podsByAddress: ReadonlyMap<string, Pod> | undefined;
  #slicesByService: ReadonlyMap<string, readonly Endpoint[]> | undefined;
  readonly #endpoints = new Map<string, readonly Endpoint[]>();

  constructor(
    options: { readonly api: Api; readonly namespace: string; readonly onChange: () => void },
    deps: { readonly clock: Clock; readonly log: Log },
    signal: AbortSignal,
  ) {
    const { api, namespace } = options;
    const core = `/api/v1/namespaces/${namespace}`;
    const changed = (forget: () => void) => () => {
      forget();
      this.#endpoints.clear();
      options.onChange();
    };
    const servicesChanged = changed(() => this.#servicesByAddress = undefined);
    const slicesChanged = changed(() => this.#slicesByService = undefined);
    const podsChanged = changed(() => this.#podsByAddress = undefined);
    this.services = new WatchedList(
      { api, path: `${core}/services`, model: toService, onChange: servicesChanged },
      deps,
      signal,
    );
    const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
    this.#slices = new WatchedList({ api, path: slices, model: toSlice, onChange: slicesChanged }, deps, signal);
    this.pods = new WatchedList({ api, path: `${core}/pods`, model: toPod, onChange: podsChanged }, deps, signal);
    this.#openOlder = () =>
      new WatchedList(
        { api, path: `${core}/endpoints`, model: toOlderSlice, onChange: slicesChanged },
        deps,
        signal,
      );
  }

  /** Settles once the first lists of services and endpoints are in or refused; the pods may follow. */
  async settled(): Promise<void> {
    await Promise.all([this.services.settled, this.#slices.settled]);
    if (!this.#slices.refusal) return;
    this.#older = this.#openOlder();
    await this.#older.settled;
  }

  /** Tries again now whatever waits after a failure. */
  poke(): void {
    for (const list of [this.services, this.#slices, this.#older, this.pods]) list?.poke();
  }

  /** All endpoints of a service; undefined where the rights do not suffice to know them without asking. */
  endpoints(service: Service): readonly Endpoint[] | undefined {
    const known = this.#endpoints.get(service.name);
    if (known) return known;
    const found = this.#slices.live || this.#older?.live
      ? this.#bySlices().get(service.name) ?? []
      : this.#endpointsOfPods(service);
    if (!found) return undefined;
    const endpoints = mergeEndpoints(found, (address) => this.podAt(address));
    this.#endpoints.set(service.name, endpoints);
    return endpoints;
  }

  /** Where neither slices nor Endpoints may be listed, what Kubernetes would make of the pods. Hand-made endpoints do not follow from them. */
  #endpointsOfPods(service: Service): readonly Endpoint[] | undefined {
    const refused = this.#older?.refusal !== undefined && Object.keys(service.selector).length > 0;
    const pods = refused ? this.podsOf(service) : undefined;
    return pods && endpointsOfPods(service, pods);
  }

  /** The pods a service selects; undefined where pods are not watched. */
  podsOf({ selector }: Service): readonly Pod[] | undefined {
    if (!this.pods.live) return undefined;
    const wanted = Object.entries(selector);
    if (wanted.length === 0) return [];
    return [...this.pods.values()].filter(({ labels }) => wanted.every(([key, value]) => labels[key] === value));
  }

  /** The service with a cluster IP. */
  serviceAt(address: string): Service | undefined {
    this.#servicesByAddress ??= new Map(
      [...this.services.values()].flatMap((service) => service.clusterIPs.map((address) => [address, service])),
    );
    return this.#servicesByAddress.get(address);
  }

  /** The pod with an address; those on their node's network come last, they share theirs. */
  podAt(address: string): Pod | undefined {
    this.#podsByAddress ??= podsByAddress([...this.pods.values()]);
    return this.#podsByAddress.get(address);
  }

  /** The endpoint with an address, for those who may not read pods. */
  endpointAt(address: string): Endpoint | undefined {
    for (const endpoints of this.#bySlices().values()) {
      const found = endpoints.find(({ pod, addresses }) => pod && addresses.includes(address));
      if (found) return found;
    }
    return undefined;
  }

  #bySlices(): ReadonlyMap<string, readonly Endpoint[]> {
    return this.#slicesByService ??= slicesByService([...(this.#older ?? this.#slices).values()]);
  }
}

function podsByAddress(pods: readonly Pod[]): Map<string, Pod> {
  const living = pods.filter(({ phase }) => phase !== "Succeeded" && phase !== "Failed");
  // The last of an address wins.
  const ordered = living.toSorted((a, b) => Number(b.hostNetwork ?? false) - Number(a.hostNetwork ?? false));
  return new Map(ordered.flatMap((pod) => pod.ips.map((address) => [address, pod])));
}

function slicesByService(slices: readonly Slice[]): Map<string, readonly Endpoint[]> {
  const grouped = Map.groupBy(slices, ({ service }) => service);
  return new Map([...grouped].map(([service, slices]) => [service, slices.flatMap(({ endpoints }) => endpoints)]));
}

function toSlice(slice: V1EndpointSlice): Slice {
  return { service: slice.metadata?.labels?.[serviceNameLabel] ?? "", endpoints: endpointsOfSlice(slice) };
}

function toOlderSlice(endpoints: V1Endpoints): Slice {
  return { service: endpoints.metadata?.name ?? "", endpoints: endpointsOfEndpoints(endpoints) };
}
