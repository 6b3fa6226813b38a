import type { Environment } from "../platform/proxy_settings.ts";
import type { ChosenContext } from "./choose_context.ts";

const folder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The cluster that this program runs in, as its pod's service account; undefined outside of a pod. */
export async function inClusterContext(env: Environment, account: string = folder): Promise<ChosenContext | undefined> {
  const host = env.KUBERNETES_SERVICE_HOST;
  const port = env.KUBERNETES_SERVICE_PORT;
  if (!host || !port) return undefined;
  let namespace: string;
  try {
    await Deno.lstat(`${account}/token`);
    namespace = (await Deno.readTextFile(`${account}/namespace`)).trim();
  } catch {
    return undefined;
  }
  const name = "in-cluster";
  return {
    context: { name, cluster: name, user: name, namespace },
    cluster: {
      name,
      server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
      certificateAuthority: { kind: "file", path: `${account}/ca.crt` },
      insecureSkipTlsVerify: false,
      tlsServerName: "",
      proxyUrl: "",
      execConfig: undefined,
    },
    user: {
      name,
      clientCertificate: undefined,
      clientKey: undefined,
      token: "",
      tokenFile: `${account}/token`,
      username: "",
      password: "",
      exec: undefined,
      authProvider: undefined,
      impersonate: { user: "", uid: "", groups: [], extra: {} },
    },
  };
}
