import type { V1Namespace, V1Service } from "@kubernetes/client-node";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { didYouMean } from "../platform/nearest.ts";
import { type Api, ApiError } from "./api.ts";
import { LiveDirectory } from "./live_directory.ts";
import { NamespaceView } from "./namespace_view.ts";
import { findZone } from "./zone.ts";

/** What to watch. */
export interface DirectoryOptions {
  /** The namespace whose services have single-label names. */
  readonly namespace: string;
  /** Further namespaces to watch. */
  readonly namespaces?: readonly string[];
  /** The cluster's DNS zone; by default what CoreDNS is configured with, or `cluster.local`. */
  readonly zone?: string;
}

/**
 * Opens a live view of the cluster: resolves once the first lists of services and endpoints are in. It makes do with the rights there
 * are: without watch it asks name by name, without slices it takes Endpoints or pods, without pods it knows no reasons. Rejects with an
 * ApiError for a namespace that does not exist or whose services may not be read, and with what the API throws where that cannot be
 * reached or does not know the user. `signal` gives up the opening.
 */
export async function openDirectory(
  api: Api,
  options: DirectoryOptions,
  deps: { readonly clock: Clock; readonly log: Log },
  signal?: AbortSignal,
): Promise<LiveDirectory> {
  const closing = new AbortController();
  const abort = () => closing.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  const listeners = new Set<() => void>();
  const onChange = () => listeners.forEach((listener) => listener());
  const open = async (namespace: string) => {
    const view = new NamespaceView({ api, namespace, onChange }, deps, closing.signal);
    await Promise.all([view.settled(), checkNamespace(api, namespace, closing.signal)]);
    await checkRights(api, namespace, view, closing.signal);
    return [namespace, view] as const;
  };
  try {
    const namespaces = new Set([options.namespace, ...options.namespaces ?? []]);
    const [zone, ...views] = await Promise.all([
      options.zone ?? findZone(api, closing.signal),
      ...[...namespaces].map(open),
    ]);
    return new LiveDirectory({ api, views: new Map(views), zone, listeners, closing }, deps);
  } catch (error) {
    closing.abort();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** A namespace that does not exist lists as empty, so it has to be asked for by name, where that is allowed. */
async function checkNamespace(api: Api, namespace: string, signal: AbortSignal): Promise<void> {
  try {
    await api.get<V1Namespace>(`/api/v1/namespaces/${namespace}`, {}, signal);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status !== 404) return;
    const { items } = await api.list<V1Namespace>("/api/v1/namespaces", {}, signal).catch(() => ({ items: [] }));
    const others = items.map(({ metadata }) => metadata?.name ?? "");
    const message = `The cluster has no namespace "${namespace}".${didYouMean(namespace, others)}`;
    throw new ApiError(404, "NotFound", message, error.request);
  }
}

/** Without a list of services it must at least be possible to get one by its name. */
async function checkRights(api: Api, namespace: string, view: NamespaceView, signal: AbortSignal): Promise<void> {
  const { refusal } = view.services;
  if (!refusal) return;
  try {
    await api.get<V1Service>(`/api/v1/namespaces/${namespace}/services/kubernetes`, {}, signal);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 404) return;
    throw new ApiError(error.status, error.reason, explainRefusal(refusal.message, namespace), refusal.request);
  }
}

/** `said` are the API server's words; what to do about them depends on whom it takes us for. */
function explainRefusal(said: string, namespace: string): string {
  if (/cannot impersonate/.test(said)) {
    return `You may not act as somebody else: ${said}. Leave --as and --as-group out, or ask for the verb impersonate`;
  }
  if (/User "system:anonymous"/.test(said)) {
    return `The API server does not know who you are: ${said}. Log in, or get a kubeconfig whose user has credentials`;
  }
  return `Namespace "${namespace}" is closed to you: ${said}. Name another with -n, or ask for the Role that ` +
    `hawser doctor --rbac -n ${namespace} prints`;
}
