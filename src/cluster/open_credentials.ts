import { AccessError } from "./access.ts";
import type { ChosenContext } from "./choose_context.ts";
import type { Credentials } from "./credentials.ts";
import { ExecPlugin } from "./exec_plugin.ts";
import type { UserEntry } from "./kubeconfig.ts";
import { Oidc } from "./oidc.ts";
import { type ExecDeps, runExecPlugin } from "./run_exec_plugin.ts";
import { StaticCredentials } from "./static_credentials.ts";
import { TokenFile } from "./token_file.ts";

/** What making credentials uses of the world. */
export type CredentialDeps = ExecDeps;

/**
 * The way in which the user of a context proves who they are; of several, that which `kubectl` would take. `ca` is the cluster's certificate authority,
 * PEM, for plugins that want to know it. Throws an {@linkcode AccessError} where hawser knows none.
 */
export function openCredentials(chosen: ChosenContext, ca: string | undefined, deps: CredentialDeps): Credentials {
  const { user, cluster } = chosen;
  if (!user) return anonymous;
  if (user.tokenFile !== "") return new TokenFile(user, deps);
  if (user.token !== "" || user.username !== "") return new StaticCredentials(user, deps);
  if (user.exec) {
    const request = { exec: user.exec, user: user.name, cluster, ca };
    return new ExecPlugin({ user: user.name, run: (signal) => runExecPlugin(request, deps, signal) }, deps);
  }
  if (user.authProvider) return openProvider(user, user.authProvider, deps);
  return new StaticCredentials(user, deps);
}

function openProvider(
  user: UserEntry,
  provider: NonNullable<UserEntry["authProvider"]>,
  deps: CredentialDeps,
): Credentials {
  const { name, config } = provider;
  if (name === "oidc") return new Oidc(user.name, config, deps);
  const advice: Readonly<Record<string, string>> = {
    gcp:
      'install the plugin "gke-gcloud-auth-plugin" and run "gcloud container clusters get-credentials CLUSTER" again',
    azure: 'install the plugin "kubelogin" and run "kubelogin convert-kubeconfig"',
  };
  throw new AccessError(
    "credentials",
    `User "${user.name}" has the auth-provider "${name}", which Kubernetes no longer has: ${
      advice[name] ?? "get a kubeconfig that uses an exec plugin"
    }`,
  );
}

/** Nobody, as which some clusters let one in. */
const anonymous: Credentials = {
  certificate: () => Promise.resolve(undefined),
  authorization: () => Promise.resolve(undefined),
  renew: () => Promise.resolve(false),
};
