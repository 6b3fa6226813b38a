import type { Access } from "../cluster/access.ts";
import type { Api } from "../cluster/api.ts";
import type { Directory } from "../cluster/directory.ts";
import { openDns } from "../dns/open_dns.ts";
import { ProxySettings } from "../platform/proxy_settings.ts";
import { SparingWarnings } from "../platform/sparing_warnings.ts";
import { DirectDialer } from "../proxy/direct_dialer.ts";
import { isLoopback } from "../proxy/local_host.ts";
import { pacFile } from "../proxy/pac.ts";
import { Router } from "../proxy/routing.ts";
import { openProxy } from "../proxy/server.ts";
import type { Duplex } from "../stream/duplex.ts";
import type { ClusterDialer } from "../tunnel/cluster_dialer.ts";
import { hookPages } from "../wiring/hook_pages.ts";
import { MadeUpAddresses } from "../wiring/made_up_addresses.ts";
import { TargetPorts } from "../wiring/target_ports.ts";
import { openServiceListeners, type ServiceListener, type ServiceListeners } from "../wiring/service_listeners.ts";
import type { ProxyAddress } from "../wiring/variables.ts";
import type { ConnectionOptions } from "./connection_options.ts";
import type { CliDeps } from "./deps.ts";
import { joinRelay } from "./join_relay.ts";
import { openCluster } from "./open_cluster.ts";
import { hawserVersion } from "./version.ts";
import { warnWithoutTunnels } from "./warn_without_tunnels.ts";

/** What a connection uses of the world. */
export interface ConnectionDeps extends Pick<CliDeps, "env" | "os" | "clock" | "log" | "paths"> {
  /** Where it is told what is being waited for. */
  readonly terminal?: Pick<CliDeps["terminal"], "progress">;
  /** Told when {@linkcode Connection.listeners} has changed. */
  readonly onListeners?: () => void;
  /** The PAC script that decides about what is not the cluster's. Default: none. */
  readonly outsidePac?: () => Promise<string | undefined>;
}

/** A cluster within reach of this machine's programs. */
export interface Connection {
  /** Random; tells this session from any other. */
  readonly id: string;
  /** Opens the control pages. */
  readonly token: string;
  readonly access: Access;
  readonly api: Api;
  readonly directory: Directory;
  readonly dialer: ClusterDialer;
  /** Knows the way of every destination, the cluster's and others. */
  readonly router: Pick<Router, "route">;
  readonly proxy: ProxyAddress;
  /** Name of the relay's objects; undefined where there is none. */
  readonly relay: string | undefined;
  /** Undefined where no resolver runs. */
  readonly dnsPort: number | undefined;
  listeners(): readonly ServiceListener[];
  /** Serves a connection as if it had come to the proxy's port. */
  serve(stream: Duplex): void;
  /** Resolves when somebody has asked for its end through the control page. */
  readonly stopped: Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens everything between programs here and a cluster: access, directory, tunnels, local ports, proxy, resolver. What was opened is closed in
 * reverse order, also where a later step fails or `signal` aborts. Rejects with errors whose messages are for people.
 */
export async function openConnection(
  options: ConnectionOptions,
  deps: ConnectionDeps,
  signal: AbortSignal,
): Promise<Connection> {
  const { env, clock, log } = deps;
  const id = randomHex(8);
  const token = randomHex(16);
  const auth = options.auth ? { username: "hawser", password: randomHex(12) } : undefined;
  const stop = Promise.withResolvers<void>();
  const closing = new AbortController();
  const warnings = new SparingWarnings({ clock, log });
  await using opened = new AsyncDisposableStack();
  const cluster = opened.use(await openCluster(options, deps, signal));
  const { access, api, directory, dialer, health } = cluster;
  opened.defer(warnWithoutTunnels(cluster, { log }));
  const onProgress = (state: string) => deps.terminal?.progress(state);
  const relay = options.relay && await joinRelay(options.relay, cluster, { ...deps, onProgress }, signal);
  if (relay) opened.defer(() => relay.close());
  const reach = relay?.cluster ?? dialer;

  let listeners: ServiceListeners | undefined;
  if (options.listen) {
    listeners = await openServiceListeners({
      directory,
      dialer: reach,
      log,
      warnings,
      context: access.context,
      cacheFile: `${deps.paths().cache}/ports.json`,
      onChange: deps.onListeners,
    });
    opened.defer(() => listeners!.close());
  }
  signal.throwIfAborted();
  const settings = new ProxySettings(env);
  const addresses = new MadeUpAddresses();
  const router = new Router({ exclude: options.exclude, include: options.include }, {
    directory,
    cluster: reach,
    relay: relay?.dialer,
    direct: new DirectDialer({
      settings,
      clock,
      // A shell wired to an earlier session on the same port names us as its proxy.
      isOurs: ({ host, port }) => port === proxy.port && isLoopback(host),
    }),
    local: (target) => listeners?.targetOf(target),
    named: (address) => addresses.nameOf(address),
  });
  const ports = new TargetPorts({ dialer: router, warnings });
  opened.defer(() => ports.close());
  const proxy = await openProxy({ ports: options.ports, token, credentials: auth }, {
    router,
    clock,
    log,
    warnings,
    pages: {
      ...auth ? {} : hookPages({
        isClusters: (target) => router.isClusters(target, closing.signal),
        addresses,
        ports,
        ownName: Deno.hostname(),
      }),
      "GET /proxy.pac": {
        open: true,
        respond: async () => ({ type: "application/x-ns-proxy-autoconfig", text: pac(await deps.outsidePac?.()) }),
      },
      "GET /status": {
        respond: () => json({ session: id, version: hawserVersion, ...status() }),
      },
      "POST /stop": {
        respond() {
          clock.after(50, stop.resolve); // let the answer out first
          return json({ session: id, stopping: true });
        },
      },
    },
  });
  opened.defer(() => proxy.close());
  // Any outside name will do to learn which proxy the user has for them.
  const fallback = () => settings.proxyFor("https", "example.com", 443);
  const pac = (outside?: string) => pacFile({ port: proxy.port, directory, fallback: fallback(), outside });
  const status = () => ({
    context: access.context,
    namespaces: directory.namespaces,
    zone: directory.zone,
    health: health.lost === undefined ? "ok" : `lost: ${health.lost}`,
    services: directory.services().length,
    connections: proxy.counts(),
    tunnels: { sessions: dialer.sessions, carrier: dialer.carrier },
    relay: relay && { name: relay.object, linked: relay.dialer.linked },
  });
  let dnsPort: number | undefined;
  if (options.dnsPort !== undefined) {
    const dns = await openDns({ port: options.dnsPort, forwardTo: options.dnsForward }, {
      directory,
      clock,
      log,
      localAddress: (service) => listeners?.addressOf(service),
    });
    opened.defer(() => dns.close());
    dnsPort = dns.port;
  }
  signal.throwIfAborted();
  opened.defer(() => closing.abort(new Error("the session has ended")));
  const everything = opened.move();
  return {
    id,
    token,
    access,
    api,
    directory,
    dialer,
    router,
    proxy: { port: proxy.port, auth },
    relay: relay?.object,
    dnsPort,
    listeners: () => listeners?.list() ?? [],
    serve: (stream) => proxy.serve(stream),
    stopped: stop.promise,
    close: () => everything.disposeAsync(),
  };
}

function json(value: unknown): { type: string; text: string } {
  return { type: "application/json", text: JSON.stringify(value) };
}

function randomHex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}
