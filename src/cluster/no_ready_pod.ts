import type { Endpoint, Pod, Service } from "./directory.ts";

/** Pods that a sentence names before it only counts. */
const most = 3;

/**
 * The sentence for a service that exists while nothing answers `port` of it: its pods, each with its own reason, and what to look at
 * next. `pods` are those of the service, empty where they may not be read.
 */
export function explainNoReadyPod(
  service: Service,
  port: number,
  endpoints: readonly Endpoint[],
  pods: readonly Pod[],
): string {
  const subject = `Service "${service.name}" in namespace "${service.namespace}"`;
  const selector = Object.entries(service.selector).map(([key, value]) => `${key}=${value}`).join(",");
  if (endpoints.some(({ ready }) => ready)) {
    const wanted = service.ports.find((candidate) => candidate.port === port)?.targetPort;
    return `${subject} has ready pods, but none with a container port named "${wanted}", which its port ${port} leads to`;
  }
  const living = pods.filter(({ phase }) => phase !== "Succeeded");
  if (living.length > 0) return `${subject} has no ready pod: ${list(living)}. ${nextStep(living)}`;
  if (pods.length > 0) {
    return `${subject} has no ready pod: ${list(pods)}. Its pods ran to their end; start its workload again`;
  }
  if (endpoints.length > 0) {
    const which = endpoints.slice(0, most).map(({ pod, addresses }) => pod?.name ?? addresses[0]).join(", ");
    return `${subject} has no ready endpoint (${which}${
      endpoints.length > most ? ", …" : ""
    }); why cannot be told, pods may not be read here`;
  }
  return selector === ""
    ? `${subject} has no endpoints: it has no selector, so its EndpointSlice has to be made by hand`
    : `${subject} has no pods: none with the labels ${selector} is to be seen. Is its workload scaled to 0?`;
}

function list(pods: readonly Pod[]): string {
  const named = pods.slice(0, most).map(({ name, reason }) => `${name} (${reason || "ready only just now"})`);
  const left = pods.length - named.length;
  return named.join("; ") + (left > 0 ? `; and ${left} more` : "");
}

function nextStep(pods: readonly Pod[]): string {
  const crashed = pods.find(({ reason }) => /CrashLoopBackOff|^Error|OOMKilled/.test(reason));
  const { name, namespace } = crashed ?? pods[0]!;
  return crashed && !crashed.reason.startsWith("Init:")
    ? `See: kubectl -n ${namespace} logs ${name} --previous`
    : `See: kubectl -n ${namespace} describe pod ${name}`;
}
