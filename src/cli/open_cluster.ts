import type { Access } from "../cluster/access.ts";
import { type ApiHealth, watchApiHealth } from "../cluster/api_health.ts";
import type { Directory } from "../cluster/directory.ts";
import { type AccessOptions, openAccess } from "../cluster/open_access.ts";
import { type OpenApi, openApi } from "../cluster/open_api.ts";
import { openDirectory } from "../cluster/open_directory.ts";
import { tidyWhenIdle } from "../platform/idle_memory.ts";
import { ClusterDialer } from "../tunnel/cluster_dialer.ts";
import type { CliDeps } from "./deps.ts";

/** Which cluster, and what of it to watch. */
export interface ClusterOptions {
  readonly access: AccessOptions;
  /** Namespaces to watch beside that of `access`. */
  readonly namespaces: readonly string[];
  /** The cluster's DNS zone; found out where undefined. */
  readonly zone: string | undefined;
}

/** A cluster that can be looked at and dialed. */
export interface Cluster extends AsyncDisposable {
  readonly access: Access;
  readonly api: OpenApi;
  readonly directory: Directory;
  readonly dialer: ClusterDialer;
  readonly health: ApiHealth;
}

/**
 * Opens the way to a cluster; an event is told when its API server stops answering and when it is back. Disposing of it ends every connection.
 * Rejects with errors whose messages are for people, and with the signal's reason.
 */
export async function openCluster(
  { access: wanted, namespaces, zone }: ClusterOptions,
  { env, clock, log }: Pick<CliDeps, "env" | "clock" | "log">,
  signal: AbortSignal,
): Promise<Cluster> {
  await using opened = new AsyncDisposableStack();
  opened.defer(tidyWhenIdle({ clock }));
  const access = await openAccess(wanted, { env, clock, log });
  const api = openApi(access, { clock, log });
  opened.defer(() => api.close());
  const directory = await openDirectory(api, { namespace: access.namespace, namespaces, zone }, { clock, log }, signal);
  opened.defer(() => directory.close());
  signal.throwIfAborted();
  const dialer = new ClusterDialer({ access, directory, clock, log });
  opened.defer(() => dialer.close());
  const health = watchApiHealth({
    api,
    onLost(reason) {
      log.event(
        `The API server ${access.server.host} does not answer: ${reason}. New connections wait until it is back`,
      );
      api.reconnect();
    },
    onBack(seconds) {
      log.event(`The API server is back after ${seconds} s`);
      directory.poke();
    },
  }, { clock });
  opened.defer(() => health.close());
  const everything = opened.move();
  return { access, api, directory, dialer, health, [Symbol.asyncDispose]: () => everything.disposeAsync() };
}
