import { kubectl } from "./kubectl.ts";
import type { Manifest } from "./manifests.ts";
import type { Scene } from "./scene.ts";

/** The `user` part of a kubeconfig entry. */
export type Credentials = Readonly<Record<string, unknown>>;

/** One rule of a Role. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

interface Entry {
  readonly name: string;
  readonly cluster: Readonly<Record<string, unknown>> & { readonly server: string };
}

/** What differs from the kubeconfig in use. */
export interface KubeconfigChanges {
  readonly user?: Credentials;
  readonly namespace?: string;
  /** Local port in front of the API server. */
  readonly port?: number;
  /** Fields of the cluster. */
  readonly cluster?: Readonly<Record<string, unknown>>;
}

/** Where the API server of the kubeconfig in use is. */
export async function apiServer(): Promise<{ host: string; port: number }> {
  const { hostname, port } = new URL((await current()).cluster.cluster.server);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 443) };
}

/** Writes a kubeconfig file like the one in use, with one context, `e2e`, and what differs. */
export async function writeKubeconfig(file: string, changes: KubeconfigChanges): Promise<string> {
  const { cluster, user } = await current();
  const { host } = await apiServer();
  const moved = changes.port === undefined ? {} : {
    server: `https://127.0.0.1:${changes.port}`,
    ...host === "127.0.0.1" ? {} : { "tls-server-name": host },
  };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "e2e",
    contexts: [{ name: "e2e", context: { cluster: "e2e", user: "e2e", namespace: changes.namespace } }],
    clusters: [{ name: "e2e", cluster: { ...cluster.cluster, ...moved, ...changes.cluster } }],
    users: [{ name: "e2e", user: changes.user ?? user }],
  };
  await Deno.writeTextFile(file, JSON.stringify(config));
  return file;
}

/** A service account with a Role of its own, both called `name`, ready to be applied. */
export function accountWithRole(name: string, namespace: string, rules: readonly Rule[]): Manifest[] {
  const subject = { kind: "ServiceAccount", name, namespace };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } },
    { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: { name }, rules },
    roleBinding(name, { kind: "Role", name }, subject),
  ];
}

/** Gives a role to a user or service account. */
export function roleBinding(
  name: string,
  role: { readonly kind: "Role" | "ClusterRole"; readonly name: string },
  subject: Readonly<Record<string, unknown>>,
): Manifest {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", ...role },
    subjects: [subject],
  };
}

/** A user by a token of a service account. */
export async function tokenUser(scene: Scene, account: string): Promise<Credentials> {
  return { token: (await scene.kubectl("create", "token", account)).trim() };
}

/** A user `name` by a certificate that the cluster has signed, asked for as administrators do. Needs openssl. */
export async function certificateUser(name: string): Promise<Credentials> {
  const folder = await Deno.makeTempDir({ prefix: "hawser-e2e-" });
  try {
    const key = `${folder}/key.pem`, request = `${folder}/csr.pem`;
    const args = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const { success } = await new Deno.Command("openssl", {
      args: [...args, "-subj", `/CN=${name}`, "-keyout", key, "-out", request],
      stdout: "null",
      stderr: "null",
    }).output();
    if (!success) throw new Error("openssl req failed");
    const spec = {
      request: btoa(await Deno.readTextFile(request)),
      signerName: "kubernetes.io/kube-apiserver-client",
      usages: ["client auth"],
    };
    const manifest = { apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest", metadata: { name } };
    await kubectl(["apply", "-f", "-"], JSON.stringify({ ...manifest, spec }));
    await kubectl(["certificate", "approve", name]);
    await kubectl(["wait", "csr", name, "--for=jsonpath={.status.certificate}", "--timeout=30s"]);
    const certificate = await kubectl(["get", "csr", name, "-o", "jsonpath={.status.certificate}"]);
    await kubectl(["delete", "csr", name, "--wait=false"]);
    return {
      "client-certificate-data": certificate,
      "client-key-data": btoa(await Deno.readTextFile(key)),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function current(): Promise<{ cluster: Entry; user: Credentials }> {
  const text = await kubectl(["config", "view", "--raw", "--minify", "--flatten", "-o", "json"]);
  const { clusters: [cluster], users }: { clusters: [Entry]; users: { user: Credentials }[] | null } = JSON.parse(text);
  return { cluster, user: users?.[0]?.user ?? {} };
}
