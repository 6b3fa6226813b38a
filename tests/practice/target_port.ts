import type { PodObject } from "./pod_object.ts";
import type { ServicePort } from "./service_object.ts";

/** The port of a pod that a service port leads to, undefined if the pod declares none of that name. */
export function targetPort(port: ServicePort, pod: PodObject): number | undefined {
  if (typeof port.targetPort === "number") return port.targetPort || port.port;
  const sidecars = (pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === "Always");
  const declared = [...pod.spec.containers, ...sidecars].flatMap((container) => container.ports ?? []);
  return declared.find((p) => p.name === port.targetPort && (p.protocol ?? "TCP") === port.protocol)?.containerPort;
}
