import type { Access } from "../cluster/access.ts";
import type { PodRef } from "../cluster/directory.ts";
import { hasMember } from "../stream/http_head.ts";
import { openWebSocket } from "./open_websocket.ts";
import { type Carrier, requestUpgrade, UpgradeError } from "./request_upgrade.ts";
import { plainWire, type Wire } from "./wire.ts";

/**
 * Opens the carrier of a port-forward session to a pod: SPDY frames travel inside a WebSocket (Kubernetes 1.31 and newer), or bare. Rejects as `requestUpgrade`
 * does.
 */
export async function upgrade(access: Access, pod: PodRef, carrier: Carrier, signal: AbortSignal): Promise<Wire> {
  const path = `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}/portforward`;
  if (carrier === "websocket") {
    const protocols = ["SPDY/3.1+portforward.k8s.io"];
    return await openWebSocket(access, { path, protocols, purpose: "the WebSocket tunnel for port-forward" }, signal);
  }
  const request = {
    carrier,
    path,
    headers: [["Upgrade", "SPDY/3.1"], ["X-Stream-Protocol-Version", "portforward.k8s.io"], ["Content-Length", "0"]],
  } satisfies Parameters<typeof requestUpgrade>[1];
  return await requestUpgrade(access, request, ({ connection, reader, head }) => {
    if (!hasMember(head.headers, "upgrade", "spdy/3.1")) {
      throw new UpgradeError(carrier, 101, "", "the answer upgrades to something else than SPDY/3.1");
    }
    return plainWire(connection, (into) => reader.read(into));
  }, signal);
}
