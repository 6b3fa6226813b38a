import { openAccess } from "../cluster/open_access.ts";
import { openApi } from "../cluster/open_api.ts";
import { openDirectory } from "../cluster/open_directory.ts";
import type { Options } from "./command.ts";
import { Failure } from "../platform/failure.ts";
import { accessOptions } from "./connection_options.ts";
import type { CliDeps } from "./deps.ts";
import type { globalFlags } from "./global_flags.ts";
import type { SessionNote } from "./session_note.ts";
import type { WorkloadReach } from "./workload_variables.ts";

/**
 * Looks at the cluster of a session that another process holds, for what containers there have; services are where that session's local ports are.
 * Disposing of it ends the look. Rejects with errors whose messages are for people.
 */
export async function openSessionWorkload(
  { name, context, server, namespace, listeners }: SessionNote,
  options: Options<typeof globalFlags>,
  { env, clock, log }: Pick<CliDeps, "env" | "clock" | "log">,
  signal: AbortSignal,
): Promise<WorkloadReach & AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  const access = await openAccess({ ...accessOptions(options), context, namespace }, { env, clock, log });
  if (server !== undefined && access.server.href !== server) {
    throw new Failure(
      `Session "${name}" is of the cluster at ${server}, and context "${context}" of your kubeconfig of ${access.server.href}: name the one that hawser connect had, with --kubeconfig`,
    );
  }
  const api = openApi(access, { clock, log });
  opened.defer(() => api.close());
  const directory = await openDirectory(api, { namespace, namespaces: [], zone: undefined }, { clock, log }, signal);
  opened.defer(() => directory.close());
  const everything = opened.move();
  return {
    api,
    directory,
    listeners: () => listeners,
    isolated: false,
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}
