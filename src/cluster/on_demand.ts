import type { V1Endpoints, V1EndpointSlice, V1Namespace, V1Pod, V1Service } from "@kubernetes/client-node";
import type { Clock } from "../platform/clock.ts";
import { type Api, ApiError, type Query } from "./api.ts";
import { AskCache } from "./ask_cache.ts";
import type { Endpoint, Pod, Service } from "./directory.ts";
import { toPod } from "./pod_model.ts";
import { toService } from "./service_model.ts";
import { endpointsOfEndpoints, endpointsOfPods, endpointsOfSlice, serviceNameLabel } from "./slice_model.ts";

/** `hidden` is a namespace of which we may not know whether it exists. */
export type NamespaceAnswer = "exists" | "absent" | "hidden";
/** A Service, or why there is none to be had. */
export type ServiceAnswer = Service | "absent" | "forbidden";
/** What has an address, if anything has. */
export type AddressAnswer = { readonly service: Service } | { readonly pod: Pod } | "nobody";

const second = 1_000;
const minute = 60 * second;
/** Milliseconds for which what was refused is not asked for again: rights change seldom. */
const refusalTime = minute;

/**
 * Answers to single questions about the cluster, for what no watch shows: other namespaces, and users who may get but not watch. Kept
 * for seconds only. All methods reject with an ApiError or AccessError where the question fails for other reasons than rights.
 */
export class OnDemand {
  readonly #api: Api;
  readonly #clock: Clock;
  readonly #namespaces: readonly string[];
  readonly #namespaceAnswers: AskCache<NamespaceAnswer>;
  readonly #services: AskCache<ServiceAnswer>;
  readonly #endpoints: AskCache<readonly Endpoint[]>;
  readonly #pods: AskCache<readonly Pod[]>;
  readonly #addresses: AskCache<AddressAnswer>;
  /** Paths that were refused, until when they are not asked for again. */
  readonly #refused = new Map<string, number>();

  /** `namespaces` are where to look for addresses when the whole cluster may not be asked. Questions end when `signal` aborts. */
  constructor(
    options: { readonly api: Api; readonly namespaces: readonly string[] },
    deps: { readonly clock: Clock; readonly signal: AbortSignal },
  ) {
    this.#api = options.api;
    this.#namespaces = options.namespaces;
    this.#clock = deps.clock;
    // Words that are no namespace are the top-level domains of the internet (github.com): nobody may wait for these again and again.
    this.#namespaceAnswers = new AskCache(
      (answer) => ({ fresh: answer === "absent" ? 15 * second : minute, usable: Infinity }),
      deps,
    );
    this.#services = new AskCache((answer) => {
      if (typeof answer === "object") return { fresh: 5 * second, usable: 10 * second };
      return answer === "absent"
        ? { fresh: 3 * second, usable: 3 * second }
        : { fresh: 30 * second, usable: 30 * second };
    }, deps);
    this.#endpoints = new AskCache(() => ({ fresh: 5 * second, usable: 10 * second }), deps);
    this.#pods = new AskCache(() => ({ fresh: 3 * second, usable: 3 * second }), deps);
    this.#addresses = new AskCache(
      (answer) =>
        answer === "nobody" ? { fresh: 30 * second, usable: 5 * minute } : { fresh: 10 * second, usable: 30 * second },
      deps,
    );
  }

  /** Whether a namespace exists. */
  namespace(name: string, signal: AbortSignal): Promise<NamespaceAnswer> {
    const ask = async (signal: AbortSignal) => {
      const answer = await allowed(this.#api.get<V1Namespace>(`/api/v1/namespaces/${name}`, {}, signal));
      return typeof answer === "object" ? "exists" : answer === "forbidden" ? "hidden" : "absent";
    };
    return this.#namespaceAnswers.get(name, ask, signal);
  }

  /** Whether a namespace is known to exist, from an earlier answer. */
  knows(namespace: string): boolean {
    return this.#namespaceAnswers.peek(namespace) === "exists";
  }

  /** A Service by its name. */
  service(namespace: string, name: string, signal: AbortSignal): Promise<ServiceAnswer> {
    // One refusal stands for a whole foreign namespace: with few rights, github.com and its like ask in "com" again and again.
    const closed = this.#namespaces.includes(namespace) ? undefined : path(namespace, "services");
    const ask = async (signal: AbortSignal) => {
      if (closed !== undefined && this.#isRefused(closed)) return "forbidden";
      const answer = await allowed(this.#api.get<V1Service>(path(namespace, "services", name), {}, signal));
      if (typeof answer === "object") return toService(answer);
      if (closed !== undefined && answer === "forbidden") this.#refuse(closed);
      return answer;
    };
    return this.#services.get(`${namespace}/${name}`, ask, signal);
  }

  /** All endpoints of a service, as its slices have them: not merged. */
  endpoints(service: Service, signal: AbortSignal): Promise<readonly Endpoint[]> {
    const { namespace, name } = service;
    const ask = async (signal: AbortSignal) => {
      const slices = await this.#list<V1EndpointSlice>(
        `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
        { labelSelector: `${serviceNameLabel}=${name}` },
        signal,
      );
      if (slices) return slices.flatMap(endpointsOfSlice);
      const endpoints = await allowed(this.#api.get<V1Endpoints>(path(namespace, "endpoints", name), {}, signal));
      if (endpoints === "absent") return [];
      if (endpoints !== "forbidden") return endpointsOfEndpoints(endpoints);
      // Hand-made endpoints do not follow from pods.
      const pods = selectorText(service) === "" ? undefined : await this.#podsBySelector(service, signal);
      if (pods) return endpointsOfPods(service, pods);
      throw new ApiError(
        403,
        "Forbidden",
        `What serves "${name}" in namespace "${namespace}" cannot be known: you may list neither endpointslices nor pods there, nor ` +
          `get endpoints. Ask for get, list and watch on endpointslices.discovery.k8s.io in namespace "${namespace}"`,
        `GET ${path(namespace, "endpoints", name)}`,
      );
    };
    return this.#endpoints.get(`${namespace}/${name}`, ask, signal);
  }

  /** The pods that a service selects; none where pods may not be listed. */
  pods(service: Service, signal: AbortSignal): Promise<readonly Pod[]> {
    const ask = async (signal: AbortSignal) => await this.#podsBySelector(service, signal) ?? [];
    return this.#pods.get(`${service.namespace}/${selectorText(service)}`, ask, signal);
  }

  /** Which Service or pod has an address; pods on their node's network do not count, the address is the node's. */
  address(address: string, signal: AbortSignal): Promise<AddressAnswer> {
    const ask = async (signal: AbortSignal): Promise<AddressAnswer> => {
      const [services, pods] = await Promise.all([
        this.#list<V1Service>("/api/v1/services", { fieldSelector: `spec.clusterIP=${address}` }, signal),
        this.#podsAt(address, signal),
      ]);
      if (services?.[0]) return { service: toService(services[0]) };
      const pod = pods.find(({ phase, hostNetwork }) => phase !== "Succeeded" && phase !== "Failed" && !hostNetwork);
      return pod ? { pod } : "nobody";
    };
    return this.#addresses.get(address, ask, signal);
  }

  async #podsAt(address: string, signal: AbortSignal): Promise<readonly Pod[]> {
    const query = { fieldSelector: `status.podIP=${address}` };
    const everywhere = await this.#list<V1Pod>("/api/v1/pods", query, signal);
    if (everywhere) return everywhere.map(toPod);
    const lists = await Promise.all(
      this.#namespaces.map((namespace) => this.#list<V1Pod>(path(namespace, "pods"), query, signal)),
    );
    return lists.flatMap((list) => list ?? []).map(toPod);
  }

  async #podsBySelector(service: Service, signal: AbortSignal): Promise<readonly Pod[] | undefined> {
    const labelSelector = selectorText(service);
    if (labelSelector === "") return [];
    return (await this.#list<V1Pod>(path(service.namespace, "pods"), { labelSelector }, signal))?.map(toPod);
  }

  /** A list, or undefined where it may not be had: forbidden, not served by this version, or by fields it does not know (400). */
  async #list<T>(path: string, query: Query, signal: AbortSignal): Promise<readonly T[] | undefined> {
    if (this.#isRefused(path)) return undefined;
    try {
      return (await this.#api.list<T>(path, query, signal)).items;
    } catch (error) {
      if (!(error instanceof ApiError) || ![400, 403, 404].includes(error.status)) throw error;
      this.#refuse(path);
      return undefined;
    }
  }

  #isRefused(path: string): boolean {
    return (this.#refused.get(path) ?? -Infinity) > this.#clock.now();
  }

  #refuse(path: string): void {
    this.#refused.set(path, this.#clock.now() + refusalTime);
  }
}

async function allowed<T>(answer: Promise<T>): Promise<T | "absent" | "forbidden"> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return "absent";
    if (error instanceof ApiError && error.status === 403) return "forbidden";
    throw error;
  }
}

function path(namespace: string, resource: string, name?: string): string {
  return `/api/v1/namespaces/${namespace}/${resource}${name === undefined ? "" : `/${name}`}`;
}

function selectorText({ selector }: Service): string {
  return Object.entries(selector).map(([key, value]) => `${key}=${value}`).join(",");
}
