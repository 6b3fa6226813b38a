import { openAccess } from "../cluster/open_access.ts";
import type { Options } from "./command.ts";
import { type ConnectReport, connectReport } from "./connect_report.ts";
import { connectionOptions } from "./connection_options.ts";
import type { CliDeps } from "./deps.ts";
import type { connectionFlags } from "./grammar/connection_flags.ts";
import type { globalFlags } from "./global_flags.ts";
import { openCluster } from "./open_cluster.ts";
import { runningSessions } from "./running_sessions.ts";
import { sessionRelay } from "./session_relay.ts";

/** The flags of `connect` that say which session is meant. */
type Wanted = Options<typeof globalFlags & typeof connectionFlags> & { readonly name: string | undefined };

/**
 * The report of a session that runs and is what a new one would be: it has the port or the name that is asked for, is for the same namespace of the same
 * cluster, and has what is wanted of relay, local ports and password. Undefined where there is none. So a task of an IDE may ask for a session before each
 * launch.
 */
export async function runningReport(
  options: Wanted,
  deps: CliDeps,
  signal: AbortSignal,
): Promise<ConnectReport | undefined> {
  const { name } = options;
  const port = options.port === 0 ? undefined : options.port; // any free one
  if (name === undefined && port === undefined) return undefined;
  const sessions = await runningSessions(deps).catch(() => []); // what stands in the way of finding any is told by whoever starts one
  const running = sessions.find(({ note }) =>
    (name === undefined || note.name === name) && (port === undefined || note.port === port)
  );
  if (!running) return undefined;
  const { note } = running;
  const wanted = await connectionOptions(options);
  const { context, server, namespace } = await openAccess(wanted.access, deps);
  const relay = sessionRelay(running);
  if (
    note.context !== context || note.server !== server.href || note.namespace !== namespace ||
    wanted.auth !== (note.auth !== undefined) ||
    (wanted.relay !== undefined) !== (relay !== undefined) || wanted.listen && note.listeners.length === 0
  ) return undefined;
  await using cluster = await openCluster(wanted, deps, signal);
  const { access, directory } = cluster;
  const session = { access, directory, proxy: note, relay, dnsPort: note.dnsPort, listeners: () => note.listeners };
  return await connectReport(note.name, session, note.logFile, signal);
}
