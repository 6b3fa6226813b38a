import type { V1Pod } from "@kubernetes/client-node";
import type { Access } from "../../cluster/access.ts";
import type { Api } from "../../cluster/api.ts";
import { toPod } from "../../cluster/pod_model.ts";
import { type Carrier, UpgradeError } from "../../tunnel/request_upgrade.ts";
import { upgrade } from "../../tunnel/upgrade.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";

const names: Readonly<Record<Carrier, string>> = { websocket: "WebSocket", spdy: "SPDY" };

/** Opens a port-forward to a ready pod both ways in which it can travel, and drops it. One of them must work. */
export async function checkStreaming(
  access: Access,
  api: Api,
  namespace: string,
  signal: AbortSignal,
): Promise<Finding[]> {
  let pods;
  try {
    const { items } = await api.list<V1Pod>(`/api/v1/namespaces/${namespace}/pods`, { limit: 100 }, signal);
    pods = items.map(toPod);
  } catch {
    return [warn("streaming", "not tried, as pods may not be listed")];
  }
  const pod = pods.find(({ ready, terminating }) => ready && !terminating);
  if (!pod) {
    return [
      warn("streaming", `not tried, as no pod of namespace "${namespace}" is ready`, "name one where one is, with -n"),
    ];
  }
  const tries = await Promise.all((["websocket", "spdy"] as const).map(async (carrier) => {
    const refusal = await refused(() => upgrade(access, pod, carrier, signal).then((wire) => wire.close()));
    return { carrier, refusal };
  }));
  const works = tries.some(({ refusal }) => refusal === undefined);
  return tries.map(({ carrier, refusal }) => {
    if (refusal === undefined) return ok(names[carrier], `opened to pod ${pod.name}`);
    if (works) return warn(names[carrier], `${refusal}; the other way works and will be used`);
    return fail(
      names[carrier],
      refusal,
      "ask for the verbs get and create on pods/portforward, or whether a proxy between forbids upgrades",
    );
  });
}

async function refused(attempt: () => Promise<void>): Promise<string | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    const status = error instanceof UpgradeError && error.status > 0 ? `HTTP ${error.status}: ` : "";
    return status + (error instanceof Error ? error.message : String(error));
  }
}
