import type { V1Pod } from "@kubernetes/client-node";
import { canonicalAddress } from "./canonical_address.ts";
import type { Pod } from "./directory.ts";
import { podReason } from "./pod_reason.ts";

/** The model of a pod as the API server sends it. Its ports come from its containers, then from its sidecars, in their order. */
export function toPod(pod: V1Pod): Pod {
  const { metadata, spec, status } = pod;
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const ips = status?.podIPs?.map(({ ip }) => ip) ?? [status?.podIP ?? ""];
  return {
    namespace: metadata?.namespace ?? "",
    name: metadata?.name ?? "",
    uid: metadata?.uid ?? "",
    ips: ips.filter((ip) => ip !== "").map(canonicalAddress),
    hostname: spec?.hostname ?? "",
    subdomain: spec?.subdomain ?? "",
    labels: metadata?.labels ?? {},
    phase: status?.phase ?? "Unknown",
    ready: status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false,
    terminating: Boolean(metadata?.deletionTimestamp),
    reason: podReason(pod),
    hostNetwork: spec?.hostNetwork ?? false,
    ports: [...spec?.containers ?? [], ...sidecars].flatMap(({ ports }) => ports ?? []).map((port) => ({
      name: port.name ?? "",
      port: port.containerPort,
      protocol: port.protocol ?? "TCP",
    })),
  };
}
