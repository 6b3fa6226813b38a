import type { Directory, Service } from "../cluster/directory.ts";
import { explainNoReadyPod } from "../cluster/no_ready_pod.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";

/** A rollout changes endpoints many times a second; what counts is how it looks when it settles. */
const settleTime = 1_000;

/**
 * Tells, one line each, when a service of the watched namespaces loses its last ready pod, has one again, or is deleted. Returns the function
 * that ends it.
 */
export function tellServiceEvents(
  directory: Pick<Directory, "services" | "endpoints" | "pods" | "onChange">,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): () => void {
  const closing = new AbortController();
  /** Whether each service was ready when it was last looked at, by `name.namespace`. */
  let known: Map<string, boolean> | undefined;
  let looking: Promise<void> = Promise.resolve();
  let stopTimer = () => {};

  const look = async () => {
    const now = new Map<string, boolean>();
    for (const service of directory.services()) {
      if (service.kind === "ExternalName" || service.own) continue;
      const key = `${service.name}.${service.namespace}`;
      const before = known?.get(key);
      try {
        now.set(key, await isReady(service, before === true));
      } catch {
        // Its state cannot be seen now, so nothing is said of it.
        if (before !== undefined) now.set(key, before);
      }
      if (before === false && now.get(key)) log.event(`${words(service)} is ready again`);
    }
    for (const key of known?.keys() ?? []) {
      if (!now.has(key) && !closing.signal.aborted) log.event(`Service "${key}" was deleted`);
    }
    known = now;
  };

  async function isReady(service: Service, wasReady: boolean): Promise<boolean> {
    const endpoints = await directory.endpoints(service, closing.signal);
    if (endpoints.some(({ ready }) => ready)) return true;
    if (wasReady) {
      const pods = await directory.pods(service, closing.signal);
      log.event(explainNoReadyPod(service, service.ports[0]?.port ?? 0, endpoints, pods));
    }
    return false;
  }

  function schedule(): void {
    stopTimer();
    stopTimer = clock.after(settleTime, () => looking = looking.then(look));
  }

  const unsubscribe = directory.onChange(schedule);
  looking = look();
  return () => {
    closing.abort();
    unsubscribe();
    stopTimer();
  };
}

function words({ name, namespace }: Service): string {
  return `Service "${name}" in namespace "${namespace}"`;
}
