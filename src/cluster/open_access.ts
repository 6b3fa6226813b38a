import { type Clock, systemClock } from "../platform/clock.ts";
import { silentLog } from "../platform/log.ts";
import { type Environment, parseProxyUrl, type ProxySetting, ProxySettings } from "../platform/proxy_settings.ts";
import type { Duplex } from "../stream/duplex.ts";
import { type Access, AccessError } from "./access.ts";
import { chooseContext, type ChosenContext } from "./choose_context.ts";
import { connectServer, type ServerRoute } from "./connect_server.ts";
import type { Credentials } from "./credentials.ts";
import { inClusterContext } from "./in_cluster_context.ts";
import type { ClusterEntry, Impersonation } from "./kubeconfig.ts";
import { kubeconfigPaths, loadKubeconfig } from "./load_kubeconfig.ts";
import { type CredentialDeps, openCredentials } from "./open_credentials.ts";
import { readMaterial } from "./read_material.ts";

/** Which cluster, and as whom: what the global flags say. */
export interface AccessOptions {
  /** One file, instead of `KUBECONFIG` or `~/.kube/config`. */
  readonly kubeconfig?: string;
  /** Instead of the current one. */
  readonly context?: string;
  /** Instead of the context's. */
  readonly namespace?: string;
  /** User to impersonate, instead of the kubeconfig's. */
  readonly as?: string;
  /** Groups to impersonate; only together with `as`. */
  readonly asGroups?: readonly string[];
}

/** What `openAccess` uses of the world. */
export type AccessDeps = CredentialDeps;

function systemDeps(): AccessDeps {
  return {
    env: Deno.env.toObject(),
    clock: systemClock,
    log: silentLog,
    os: Deno.build.os,
    interactive: Deno.stdin.isTerminal(),
    stderr: (bytes) => Deno.stderr.writeSync(bytes),
  };
}

/**
 * Makes the way into a cluster from the kubeconfig that `kubectl` would use, or from the service account inside a pod. Connects to nothing
 * yet. Rejects with an {@linkcode AccessError} of kind `kubeconfig`, `credentials` or `proxy`.
 */
export async function openAccess(options: AccessOptions, deps: Partial<AccessDeps> = {}): Promise<Access> {
  const all = { ...systemDeps(), ...deps };
  const { env, clock, log } = all;
  const chosen = await choose(options, env);
  const route = await makeRoute(chosen.cluster, env);
  const credentials = openCredentials(chosen, route.ca, all);
  log.debug(
    `context "${chosen.context.name}", server ${route.server.origin}` +
      (route.proxy ? `, proxy ${route.proxy.host}:${route.proxy.port} (${route.proxy.source})` : ""),
  );
  return new ServerAccess(options, chosen, route, credentials, clock);
}

async function choose(options: AccessOptions, env: Environment): Promise<ChosenContext> {
  const config = await loadKubeconfig(options.kubeconfig, env);
  // As client-go: inside a pod an absent or empty kubeconfig is none.
  if (options.kubeconfig === undefined && options.context === undefined && !config?.contexts.size) {
    const found = await inClusterContext(env);
    if (found) return found;
  }
  if (config) return chooseContext(config, options.context);
  const looked = kubeconfigPaths(env).map((path) => `"${path}"`).join(", ") || "no place, as HOME is not set";
  throw new AccessError(
    "kubeconfig",
    `There is no kubeconfig (looked at ${looked}): get one for your cluster, then name it with --kubeconfig or in KUBECONFIG`,
  );
}

async function makeRoute(cluster: ClusterEntry, env: Environment): Promise<ServerRoute> {
  const server = parseServer(cluster);
  const host = server.hostname.replace(/^\[(.*)\]$/, "$1");
  const authority = cluster.certificateAuthority;
  return {
    server,
    ca: authority && await readMaterial(authority, `certificate-authority of cluster "${cluster.name}"`, "kubeconfig"),
    caSource: authority?.kind === "file"
      ? `"${authority.path}"`
      : `certificate-authority-data of cluster "${cluster.name}" in the kubeconfig`,
    skipVerify: cluster.insecureSkipTlsVerify,
    tlsName: cluster.tlsServerName || host,
    proxy: chooseProxy(cluster, server, host, env),
  };
}

function parseServer(cluster: ClusterEntry): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(cluster.server) ? cluster.server : `https://${cluster.server}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === "https:" || url.protocol === "http:") && url.hostname !== "") return url;
  throw new AccessError(
    "kubeconfig",
    `The server of cluster "${cluster.name}" is not a URL: "${cluster.server}"; write it as https://HOST:PORT`,
  );
}

function chooseProxy(cluster: ClusterEntry, server: URL, host: string, env: Environment): ProxySetting | undefined {
  const scheme = server.protocol === "http:" ? "http" : "https";
  try {
    if (cluster.proxyUrl !== "") return parseProxyUrl(cluster.proxyUrl, `proxy-url of cluster "${cluster.name}"`);
    return new ProxySettings(env).proxyFor(scheme, host, Number(server.port || (scheme === "http" ? 80 : 443)));
  } catch (error) {
    throw new AccessError("proxy", error instanceof Error ? error.message : String(error), { cause: error });
  }
}

class ServerAccess implements Access {
  readonly context: string;
  readonly namespace: string;
  readonly user: string;
  readonly server: URL;
  readonly #route: ServerRoute;
  readonly #credentials: Credentials;
  readonly #impersonation: ReadonlyArray<readonly [string, string]>;
  readonly #clock: Clock;

  constructor(
    options: AccessOptions,
    chosen: ChosenContext,
    route: ServerRoute,
    credentials: Credentials,
    clock: Clock,
  ) {
    this.context = chosen.context.name;
    this.namespace = options.namespace || chosen.context.namespace || "default";
    this.user = chosen.context.user;
    this.server = route.server;
    this.#route = route;
    this.#credentials = credentials;
    this.#impersonation = impersonationHeaders(impersonate(options, chosen.user?.impersonate));
    this.#clock = clock;
  }

  async connect(signal: AbortSignal): Promise<Duplex> {
    const certificate = this.#route.server.protocol === "http:"
      ? undefined
      : await this.#credentials.certificate(signal);
    return await connectServer(this.#route, certificate, { clock: this.#clock }, signal);
  }

  async headers(signal: AbortSignal): Promise<ReadonlyArray<readonly [string, string]>> {
    const authorization = await this.#credentials.authorization(signal);
    return authorization === undefined
      ? this.#impersonation
      : [["Authorization", authorization], ...this.#impersonation];
  }

  async renew(signal: AbortSignal): Promise<boolean> {
    return await this.#credentials.renew(signal);
  }
}

function impersonate(options: AccessOptions, own: Impersonation = nobody): Impersonation {
  const base = options.as === undefined ? own : { ...nobody, user: options.as };
  const chosen = { ...base, groups: options.asGroups ?? base.groups };
  if (chosen.user === "" && (chosen.uid !== "" || chosen.groups.length > 0 || Object.keys(chosen.extra).length > 0)) {
    throw new AccessError(
      "credentials",
      "Groups, a uid or extra fields can only be impersonated together with a user: add --as USER",
    );
  }
  return chosen;
}

const nobody: Impersonation = { user: "", uid: "", groups: [], extra: {} };

/** See "User impersonation" in the Kubernetes documentation; names of extra fields are percent-encoded. */
function impersonationHeaders(who: Impersonation): ReadonlyArray<readonly [string, string]> {
  const headers: Array<readonly [string, string]> = [];
  if (who.user !== "") headers.push(["Impersonate-User", who.user]);
  if (who.uid !== "") headers.push(["Impersonate-Uid", who.uid]);
  for (const group of who.groups) headers.push(["Impersonate-Group", group]);
  for (const [name, values] of Object.entries(who.extra)) {
    for (const value of values) headers.push([`Impersonate-Extra-${encodeURIComponent(name.toLowerCase())}`, value]);
  }
  return headers;
}
