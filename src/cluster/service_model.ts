import type { V1Service } from "@kubernetes/client-node";
import type { Service } from "./directory.ts";
import { canonicalAddress } from "./canonical_address.ts";
import { isHawsersOwn } from "./is_hawsers_own.ts";

/** How long Kubernetes keeps a client on its pod where `sessionAffinity: ClientIP` names no time: three hours. */
const defaultAffinity = 10_800;

/** The model of a Service as the API server sends it. */
export function toService(service: V1Service): Service {
  const { metadata, spec } = service;
  const external = spec?.type === "ExternalName";
  const clusterIPs = spec?.clusterIPs ?? [spec?.clusterIP ?? ""];
  const headless = clusterIPs[0] === "None";
  return {
    namespace: metadata?.namespace ?? "",
    name: metadata?.name ?? "",
    kind: external ? "ExternalName" : headless ? "Headless" : "ClusterIP",
    clusterIPs: external || headless ? [] : clusterIPs.filter((address) => address !== "").map(canonicalAddress),
    externalName: external ? (spec.externalName ?? "").toLowerCase().replace(/\.$/, "") : "",
    ports: (spec?.ports ?? []).map(({ name, port, protocol, targetPort }) => ({
      name: name ?? "",
      port,
      protocol: protocol === "UDP" || protocol === "SCTP" ? protocol : "TCP",
      targetPort: targetPort || port,
    })),
    selector: external ? {} : spec?.selector ?? {},
    affinity: spec?.sessionAffinity === "ClientIP"
      ? spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinity
      : 0,
    publishNotReadyAddresses: spec?.publishNotReadyAddresses ?? false,
    ...isHawsersOwn(service) && { own: true },
  };
}
