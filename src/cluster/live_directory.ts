import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { didYouMean } from "../platform/nearest.ts";
import type { Api } from "./api.ts";
import { type NameCandidate, parseClusterName } from "./cluster_name.ts";
import { parseDashedAddress } from "./dashed_address.ts";
import type { Directory, Endpoint, Lookup, Pod, PodRef, Service } from "./directory.ts";
import { mergeEndpoints } from "./merge_endpoints.ts";
import type { NamespaceView } from "./namespace_view.ts";
import { OnDemand } from "./on_demand.ts";
import { isPrivateAddress } from "./private_address.ts";

/**
 * Milliseconds that a name which may be anybody's waits for the API server: `github.com` must not hang because the cluster is away.
 * The answer is still of use to the next one.
 */
const patience = 3_000;
/** ExternalName services that may lead to one another. */
const longestChain = 8;
/** Hand-made endpoints of one service whose pods are searched for by address. */
const mostSearched = 16;

const foreign = { kind: "foreign" } as const;

/** What a candidate led to; absent ones say whether the namespace they were sought in is certainly there. */
type Outcome = { readonly found: Lookup } | Absent;
interface Absent {
  readonly absent: "missing" | "forbidden";
  readonly message: string;
  readonly certain: boolean;
}

/** The Directory of `openDirectory`: names and addresses looked up in views of some namespaces, and by questions elsewhere. */
export class LiveDirectory implements Directory {
  readonly namespace: string;
  readonly namespaces: readonly string[];
  readonly zone: string;
  readonly #views: ReadonlyMap<string, NamespaceView>;
  readonly #asked: OnDemand;
  readonly #listeners: Set<() => void>;
  readonly #closing: AbortController;
  readonly #clock: Clock;
  readonly #log: Log;

  /** `views` holds the namespaces under watch, the one with single-label names first; `closing` ends all that goes on. */
  constructor(
    options: {
      readonly api: Api;
      readonly views: ReadonlyMap<string, NamespaceView>;
      readonly zone: string;
      readonly listeners: Set<() => void>;
      readonly closing: AbortController;
    },
    { clock, log }: { readonly clock: Clock; readonly log: Log },
  ) {
    const { api, views, zone, listeners, closing } = options;
    this.namespaces = [...views.keys()];
    this.namespace = this.namespaces[0] ?? "";
    this.zone = zone;
    this.#views = views;
    this.#asked = new OnDemand({ api, namespaces: this.namespaces }, { clock, signal: closing.signal });
    this.#listeners = listeners;
    this.#closing = closing;
    this.#clock = clock;
    this.#log = log;
  }

  async lookup(host: string, signal: AbortSignal): Promise<Lookup> {
    const name = parseClusterName(host, this);
    switch (name.kind) {
      case "foreign":
        return foreign;
      case "address":
        return await this.#lookupAddress(name.address, signal);
      case "name":
        return name.qualified
          ? await this.#lookupQualified(host, name.candidates[0], signal)
          : await this.#lookupShort(name.candidates, signal);
    }
  }

  async endpoints(service: Service, signal: AbortSignal): Promise<readonly Endpoint[]> {
    const known = this.#views.get(service.namespace)?.endpoints(service) ??
      mergeEndpoints(await this.#asked.endpoints(service, signal), (address) => this.#podAt(address));
    const unknown = known.filter(({ pod, addresses }) => !pod && addresses.some(isPrivateAddress)).slice(
      0,
      mostSearched,
    );
    if (unknown.length === 0) return known;
    const found = new Map<string, PodRef>();
    await Promise.all(unknown.flatMap(({ addresses }) =>
      addresses.map(async (address) => {
        const answer = await this.#asked.address(address, signal).catch(() => "nobody" as const);
        if (typeof answer === "object" && "pod" in answer) found.set(address, answer.pod);
      })
    ));
    return found.size === 0 ? known : mergeEndpoints(known, (address) => found.get(address));
  }

  async pods(service: Service, signal: AbortSignal): Promise<readonly Pod[]> {
    const view = this.#views.get(service.namespace);
    // Pods are for explaining: what keeps them from being known is no failure here.
    await view?.pods.settled.catch(() => {});
    return view?.podsOf(service) ?? await this.#asked.pods(service, signal);
  }

  hasPod({ namespace, name, uid }: PodRef): boolean | undefined {
    const pods = this.#views.get(namespace)?.pods;
    return pods?.live ? pods.get(name)?.uid === uid : undefined;
  }

  services(): readonly Service[] {
    const all = [...this.#views.values()].flatMap(({ services }) => [...services.values()]);
    return all.toSorted((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name));
  }

  onChange(listener: () => void): () => void {
    const own = () => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Whoever learns that the API server is back says so here: what waits after a failure tries again at once. */
  poke(): void {
    for (const view of this.#views.values()) view.poke();
  }

  close(): void {
    this.#listeners.clear();
    this.#closing.abort();
  }

  /** A name under the zone is the cluster's or nobody's. */
  async #lookupQualified(host: string, candidate: NameCandidate | undefined, signal: AbortSignal): Promise<Lookup> {
    if (!candidate) {
      return {
        kind: "missing",
        message: `"${host}" is under the cluster's zone "${this.zone}", but no name of the cluster's looks like it`,
      };
    }
    const outcome = await this.#resolve(candidate, [], signal);
    return "found" in outcome ? outcome.found : { kind: outcome.absent, message: outcome.message };
  }

  /** A short name is the first thing that it could mean and that is there. */
  async #lookupShort(candidates: readonly NameCandidate[], signal: AbortSignal): Promise<Lookup> {
    let absent: Lookup = foreign;
    let unanswered = false;
    // Before "orders.dev.svc" costs a question about a namespace "svc", which comes first in a pod's search list, "dev" is looked at.
    const watched = (candidate: NameCandidate) => "namespace" in candidate && this.#views.has(candidate.namespace);
    for (const candidate of candidates.toSorted((a, b) => Number(watched(b)) - Number(watched(a)))) {
      const outcome = await this.#resolveShort(candidate, signal);
      if (outcome && "found" in outcome) return outcome.found;
      unanswered ||= !outcome;
      // What is missing in a watched namespace is likelier meant than a namespace by the name of one of its services.
      if (outcome?.certain && absent === foreign) {
        absent = { kind: outcome.absent, message: outcome.message, mayBeForeign: true };
      }
    }
    // A single word that is no service of ours is no near miss but anybody's.
    if (absent === foreign && unanswered) return { kind: "foreign", unanswered };
    return absent.kind === "missing" && candidates.length === 1 && candidates[0]?.kind === "service" ? foreign : absent;
  }

  /** Undefined where the API server does not say in time: the name may well be none of its business. */
  async #resolveShort(candidate: NameCandidate, signal: AbortSignal): Promise<Outcome | undefined> {
    const certain = "namespace" in candidate &&
      (this.#views.has(candidate.namespace) || this.#asked.knows(candidate.namespace));
    const outcome = this.#resolve(candidate, [], signal);
    return certain ? await outcome : await this.#patiently(outcome, signal);
  }

  /** `via` are the ExternalName services passed on the way. */
  async #resolve(candidate: NameCandidate, via: readonly Service[], signal: AbortSignal): Promise<Outcome> {
    switch (candidate.kind) {
      case "zone":
        return { found: { kind: "empty" } };
      case "namespace":
        return await this.#resolveNamespace(candidate.namespace, signal);
      case "pod": {
        const lookup = await this.#lookupAddress(candidate.address, signal);
        return lookup.kind === "pod"
          ? { found: lookup }
          : { absent: "missing", certain: false, message: `No pod is known to have the address ${candidate.address}` };
      }
    }
    const service = await this.#service(candidate.namespace, candidate.service, signal);
    if ("absent" in service) return { ...service, certain: service.certain && candidate.kind === "service" };
    if (candidate.kind === "service") return { found: await this.#follow(service, via, signal) };
    const missing = (message: string): Outcome => ({ absent: "missing", certain: true, message });
    if (candidate.kind === "port") {
      const { port, protocol } = candidate;
      return service.ports.some((known) => known.name === port && known.protocol === protocol)
        ? { found: { kind: "empty" } }
        : missing(`${quoted(service)} has no ${protocol} port named "${port}"`);
    }
    const endpoints = await this.endpoints(service, signal);
    const named = endpoints.filter((endpoint) => hasName(endpoint, candidate.hostname));
    const endpoint = named.find(({ ready }) => ready) ?? named[0];
    return endpoint
      ? { found: { kind: "endpoint", service, endpoint, ...chain(via) } }
      : missing(`${quoted(service)} has no endpoint "${candidate.hostname}"${namesOf(endpoints)}`);
  }

  async #resolveNamespace(namespace: string, signal: AbortSignal): Promise<Outcome> {
    const exists = this.#views.has(namespace) || await this.#asked.namespace(namespace, signal) !== "absent";
    return exists ? { found: { kind: "empty" } } : noNamespace(namespace);
  }

  /** A Service by name, from a view where there is one. */
  async #service(namespace: string, name: string, signal: AbortSignal): Promise<Service | Absent> {
    const view = this.#views.get(namespace);
    if (view?.services.live) return view.services.get(name) ?? noService(namespace, name, view);
    const existence = view ? "exists" : await this.#asked.namespace(namespace, signal);
    if (existence === "absent") return noNamespace(namespace);
    const answer = await this.#asked.service(namespace, name, signal);
    if (typeof answer === "object") return answer;
    if (answer === "absent") return { ...noService(namespace, name, view), certain: existence === "exists" };
    return {
      absent: "forbidden",
      certain: true,
      message:
        `You may not get services in namespace "${namespace}", so whether "${name}" is there cannot be known. Ask for the verbs ` +
        `get, list and watch on services and endpointslices.discovery.k8s.io in namespace "${namespace}"`,
    };
  }

  /** Follows ExternalName services for as long as they lead to services of the cluster. */
  async #follow(service: Service, via: readonly Service[], signal: AbortSignal): Promise<Lookup> {
    const name = service.kind === "ExternalName" ? parseClusterName(service.externalName, this) : undefined;
    if (name?.kind !== "name" || !name.qualified) return { kind: "service", service, ...chain(via) };
    const leads = `${quoted(service)} is an ExternalName for "${service.externalName}"`;
    const passed = [...via, service];
    if (
      via.some((other) => other.namespace === service.namespace && other.name === service.name) ||
      via.length >= longestChain
    ) {
      const names = passed.map(({ name, namespace }) => `${name}.${namespace}`).join(" → ");
      return { kind: "missing", message: `${leads}, which leads nowhere: ${names}`, via: passed };
    }
    const [candidate] = name.candidates;
    if (!candidate) return { kind: "missing", message: `${leads}, which is no name of the cluster's`, via: passed };
    const outcome = await this.#resolve(candidate, passed, signal);
    return "found" in outcome
      ? outcome.found
      : { kind: outcome.absent, message: `${leads}. ${outcome.message}`, via: passed };
  }

  async #lookupAddress(address: string, signal: AbortSignal): Promise<Lookup> {
    for (const view of this.#views.values()) {
      const service = view.serviceAt(address);
      if (service) return { kind: "service", service };
    }
    const pod = this.#podAt(address);
    if (pod && !pod.hostNetwork) return { kind: "pod", pod };
    if (pod || !isPrivateAddress(address)) return foreign;
    for (const view of this.#views.values()) {
      const endpoint = view.endpointAt(address);
      if (endpoint?.pod) return { kind: "pod", pod: podOfEndpoint(endpoint, endpoint.pod) };
    }
    const answer = await this.#patiently(this.#asked.address(address, signal), signal);
    if (typeof answer !== "object") return foreign;
    return "pod" in answer ? { kind: "pod", pod: answer.pod } : { kind: "service", service: answer.service };
  }

  #podAt(address: string): Pod | undefined {
    for (const view of this.#views.values()) {
      const pod = view.podAt(address);
      if (pod) return pod;
    }
    return undefined;
  }

  /** The answer, or undefined if it fails or takes too long. Rejects only with the reason of `signal`. */
  async #patiently<T>(answer: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    let cancel = () => {};
    const late = new Promise<undefined>((resolve) => cancel = this.#clock.after(patience, () => resolve(undefined)));
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      signal.throwIfAborted();
      this.#log.debug(
        `The API server did not say what a name or address is: ${error instanceof Error ? error.message : error}`,
      );
      return undefined;
    } finally {
      cancel();
    }
  }
}

function noNamespace(namespace: string): Absent {
  return { absent: "missing", certain: false, message: `The cluster has no namespace "${namespace}"` };
}

function noService(namespace: string, name: string, view: NamespaceView | undefined): Absent {
  const others = [...view?.services.values() ?? []].map(({ name }) => name);
  const message = `There is no service "${name}" in namespace "${namespace}".${didYouMean(name, others)}`;
  return { absent: "missing", certain: true, message };
}

/** Endpoints go by their host name, or, where they have none, by their address with dashes. */
function hasName({ hostname, addresses }: Endpoint, name: string): boolean {
  if (hostname !== "") return hostname === name;
  const address = parseDashedAddress(name);
  return address !== undefined && addresses.includes(address);
}

/** The host names there are, a few of them. */
function namesOf(endpoints: readonly Endpoint[]): string {
  const names = endpoints.flatMap(({ hostname }) => hostname === "" ? [] : [hostname]).toSorted();
  if (names.length === 0) return "";
  return `; it has ${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}`;
}

/** What an endpoint tells of its pod, for those who may not read pods. */
function podOfEndpoint({ addresses, hostname, ready, terminating, ports }: Endpoint, pod: PodRef): Pod {
  return {
    ...pod,
    ips: addresses,
    hostname,
    subdomain: "",
    labels: {},
    phase: "Running",
    ready,
    terminating,
    reason: "",
    ports,
  };
}

function chain(via: readonly Service[]): { readonly via?: readonly Service[] } {
  return via.length === 0 ? {} : { via };
}

function quoted({ name, namespace }: Service): string {
  return `Service "${name}" in namespace "${namespace}"`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
