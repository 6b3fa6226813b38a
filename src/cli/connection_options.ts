import type { AccessOptions } from "../cluster/open_access.ts";
import { parseResolver, type Resolver } from "../dns/resolver.ts";
import { systemResolvers } from "../platform/system_resolvers.ts";
import type { AgentImage } from "../inbound/agent_image.ts";
import { parseHostPattern } from "../proxy/host_pattern.ts";
import type { Options } from "./command.ts";
import type { relayFlags } from "./grammar/relay_flags.ts";
import type { globalFlags } from "./global_flags.ts";
import type { connectionFlags } from "./grammar/connection_flags.ts";
import type { ClusterOptions } from "./open_cluster.ts";
import { UsageError } from "./usage_error.ts";

/** What a connection is to be. */
export interface ConnectionOptions extends ClusterOptions {
  /** Ports to try for the proxy, in this order; 0 is any free one. */
  readonly ports: readonly number[];
  /** Undefined for no resolver; 0 for any free port. */
  readonly dnsPort: number | undefined;
  /** Whom the resolver asks for names that are not the cluster's. */
  readonly dnsForward: readonly Resolver[];
  /** Whether each service gets local ports. */
  readonly listen: boolean;
  /** Host patterns that never go to the cluster. */
  readonly exclude: readonly string[];
  /** Host patterns that are reached from inside the cluster; empty without relay. */
  readonly include: readonly string[];
  /** What the relay's pod is made with; undefined for no relay. */
  readonly relay: AgentImage | undefined;
  /** Whether programs must know a password. */
  readonly auth: boolean;
}

/** Which cluster the global flags mean. */
export function accessOptions(options: Options<typeof globalFlags>): AccessOptions {
  const { kubeconfig, context, namespace, as, asGroup } = options;
  return { kubeconfig, context, namespace, as, ...asGroup.length > 0 && { asGroups: asGroup } };
}

/** What the relay's pod is to be made with; undefined where none is wanted. */
export function relayOptions(
  { relay, agentImage, imagePullSecret }: Options<typeof relayFlags>,
): AgentImage | undefined {
  return relay ? { image: agentImage, pullSecrets: imagePullSecret } : undefined;
}

/** What the flags of `connect` and `run` mean. Rejects with a {@linkcode UsageError}. */
export async function connectionOptions(
  options: Options<typeof globalFlags & typeof connectionFlags>,
  deps: { readonly systemResolvers?: typeof systemResolvers } = {},
): Promise<ConnectionOptions> {
  for (const pattern of options.exclude) understood("--exclude", () => parseHostPattern(pattern));
  for (const pattern of options.include) understood("--include", () => parseHostPattern(pattern));
  if (options.include.length > 0 && !options.relay) {
    throw new UsageError(
      "--include is for what is reached from inside the cluster, which takes the relay: add --relay",
    );
  }
  const named = options.dnsForward.filter((server) => server !== "system");
  const resolvers = named.map((server) => understood("--dns-forward", () => parseResolver(server)));
  if (options.dnsForward.includes("system")) {
    resolvers.push(...(await (deps.systemResolvers ?? systemResolvers)()).map((host) => ({ host, port: 53 })));
  }
  return {
    access: accessOptions(options),
    namespaces: options.namespaces,
    zone: options.clusterDomain,
    ports: options.port === undefined ? [1080, 0] : [options.port],
    dnsPort: options.noDns ? undefined : options.dnsPort ?? 0,
    dnsForward: resolvers,
    listen: options.listen,
    exclude: options.exclude,
    include: options.include,
    relay: relayOptions(options),
    auth: options.auth,
  };
}

function understood<T>(flag: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError(`${flag}: ${error instanceof Error ? error.message : error}`);
  }
}
