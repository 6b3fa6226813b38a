import { chooseContext } from "../../cluster/choose_context.ts";
import type { UserEntry } from "../../cluster/kubeconfig.ts";
import { inClusterContext } from "../../cluster/in_cluster_context.ts";
import { loadKubeconfig } from "../../cluster/load_kubeconfig.ts";
import type { AccessOptions } from "../../cluster/open_access.ts";
import { type Environment, parseProxyUrl, ProxySettings } from "../../platform/proxy_settings.ts";
import { failed, type Finding, ok, warn } from "./finding.ts";

/** Files, context, kind of credentials, and the proxy on the way, as the kubeconfig and the environment have them. Asks nobody. */
export async function checkKubeconfig(options: AccessOptions, env: Environment): Promise<Finding[]> {
  try {
    const config = await loadKubeconfig(options.kubeconfig, env);
    if (!config) {
      const inPod = await inClusterContext(env) !== undefined; // elsewhere `openAccess` says where it has looked
      return inPod ? [ok("kubeconfig", "none; the service account of this pod counts")] : [];
    }
    const { context, cluster, user } = chooseContext(config, options.context);
    const namespace = options.namespace ?? (context.namespace || "default");
    return [
      ok("kubeconfig", config.files.join(", ")),
      ok("context", `${context.name}: cluster ${cluster.name} at ${cluster.server}, namespace ${namespace}`),
      checkCredentials(context.user, user),
      checkProxy(cluster.proxyUrl, cluster.server, env),
    ];
  } catch (error) {
    return [failed("kubeconfig", error)];
  }
}

/** How the user is known, without anything secret. */
function checkCredentials(name: string, user: UserEntry | undefined): Finding {
  if (!user) return anonymous("the context names no user");
  const kinds = [
    user.clientCertificate && "client certificate",
    user.exec && `plugin "${user.exec.command}" (${user.exec.apiVersion})`,
    user.tokenFile !== "" && `token from "${user.tokenFile}"`,
    user.token !== "" && "token",
    user.authProvider && `auth-provider "${user.authProvider.name}"`,
    user.username !== "" && "user name and password",
  ].filter((kind) => typeof kind === "string");
  if (kinds.length === 0) return anonymous(`user "${name}" has none`);
  return ok("credentials", `${name}: ${kinds.join(" and ")}`);
}

function anonymous(why: string): Finding {
  const next = "log in, or get a kubeconfig whose user has credentials";
  return warn("credentials", `${why}: the API server will take you for "system:anonymous"`, next);
}

function checkProxy(proxyUrl: string, server: string, env: Environment): Finding {
  try {
    const url = new URL(server);
    const proxy = proxyUrl === ""
      ? new ProxySettings(env).proxyFor("https", url.hostname.replace(/^\[(.*)\]$/, "$1"), Number(url.port || 443))
      : parseProxyUrl(proxyUrl, "proxy-url of the kubeconfig");
    return ok(
      "proxy",
      proxy ? `${proxy.protocol} proxy ${proxy.host}:${proxy.port}, from ${proxy.source}` : "none between",
    );
  } catch (error) {
    return failed("proxy", error);
  }
}
