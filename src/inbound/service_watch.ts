import type { V1Service } from "@kubernetes/client-node";
import type { Api } from "../cluster/api.ts";
import { runInformer } from "../cluster/informer.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { paths } from "./paths.ts";
import { type Diversion, diversionOf } from "./undo.ts";

/** What somebody else may do to a Service that is diverted. */
export type ServiceChange =
  /** It selects other pods now. */
  | { readonly kind: "selector"; readonly service: V1Service }
  /** Their selector was merged into ours, so that it selects nothing. */
  | { readonly kind: "mixed"; readonly service: V1Service }
  /** It is diverted again, by whomever. */
  | { readonly kind: "diverted" }
  | { readonly kind: "deleted" };

/** Watches one diverted Service until `signal` aborts, and tells each change of what concerns us once. Resolves when nothing is under way any more. */
export async function watchService(
  { namespace, service, onChange }: {
    readonly namespace: string;
    readonly service: string;
    readonly onChange: (change: ServiceChange) => void;
  },
  deps: { readonly api: Api; readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Promise<void> {
  let last: Diversion | "deleted" = "diverted";
  let version = "";
  const see = (object: V1Service | undefined) => {
    const now = object ? diversionOf(object) : "deleted";
    const { resourceVersion = "" } = object?.metadata ?? {};
    // A mixture has to be answered each time: our own answer may have met with a newer one.
    if (now === last && (now !== "mixed" || resourceVersion === version)) return;
    last = now;
    version = resourceVersion;
    if (!object) onChange({ kind: "deleted" });
    else if (now === "none") onChange({ kind: "selector", service: object });
    else if (now === "mixed") onChange({ kind: "mixed", service: object });
    else onChange({ kind: "diverted" });
  };
  await runInformer<V1Service>(
    {
      api: deps.api,
      path: paths.services(namespace),
      query: { fieldSelector: `metadata.name=${service}` },
      onSync: ([object]) => see(object),
      onEvent: ({ type, object }) => see(type === "DELETED" ? undefined : object),
      onError: (error) => deps.log.debug(`service "${service}": ${error instanceof Error ? error.message : error}`),
    },
    deps,
    signal,
  ).done;
}
