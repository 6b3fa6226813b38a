import type { V1ConfigMap } from "@kubernetes/client-node";
import { type Api, ApiError } from "./api.ts";

/** The zone of nearly every cluster. */
export const defaultZone = "cluster.local";

/**
 * The cluster's DNS zone: what CoreDNS is configured with (the ConfigMap `coredns` of `kube-system`), or `cluster.local` where that may
 * not be read or says nothing. Lower case, without trailing dot.
 */
export async function findZone(api: Api, signal: AbortSignal): Promise<string> {
  let config: V1ConfigMap;
  try {
    config = await api.get<V1ConfigMap>("/api/v1/namespaces/kube-system/configmaps/coredns", {}, signal);
  } catch (error) {
    if (error instanceof ApiError) return defaultZone;
    throw error;
  }
  return zoneOfCorefile(config.data?.["Corefile"] ?? "") ?? defaultZone;
}

/**
 * The first zone of the `kubernetes` plugin that is not a reverse one. The plugin may name none: it then has those of its server
 * block, `cluster.local:53 {`.
 */
export function zoneOfCorefile(corefile: string): string | undefined {
  let block: string[] = [];
  for (const line of corefile.split("\n")) {
    const words = line.replace(/#.*/, "").trim().split(/\s+/).filter((word) => word !== "{");
    if (/^\S.*\{\s*$/.test(line)) block = words;
    if (words[0] !== "kubernetes") continue;
    const zone = [...words.slice(1), ...block].map(zoneOf).find((zone) => zone !== undefined);
    if (zone !== undefined) return zone;
  }
  return undefined;
}

/** `dns://Cluster.Local.:53` is the zone `cluster.local`; the root and the reverse zones are none for services. */
function zoneOf(word: string): string | undefined {
  const zone = word.toLowerCase().replace(/^[a-z]+:\/\//, "").replace(/:\d+$/, "").replace(/\.$/, "");
  const reverse = zone === "in-addr.arpa" || zone === "ip6.arpa" || /\.(?:in-addr|ip6)\.arpa$/.test(zone);
  return reverse || !/^[a-z0-9.-]+$/.test(zone) ? undefined : zone;
}
