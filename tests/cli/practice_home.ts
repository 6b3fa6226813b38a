import { type Practice, startPractice } from "../practice/practice.ts";
import type { ServiceManifestOptions } from "../practice/service_manifests.ts";

/** What a {@linkcode PracticeHome} differs in. */
export interface PracticeHomeOptions {
  /** Services of the namespace `dev`. Default: `web`, one pod behind port 80, which is named `http`. */
  readonly services?: readonly Omit<ServiceManifestOptions, "namespace">[];
  /** How the name of its folder begins. */
  readonly prefix?: string;
}

/** A practice cluster, and a home of its own for hawsers that reach it. */
export interface PracticeHome {
  readonly practice: Practice;
  /** The folder of the home. */
  readonly root: string;
  /** What makes it a hawser's home, on any system, and the kubeconfig of `admin` its own. */
  readonly env: Readonly<Record<string, string>>;
  /** Writes the kubeconfig of a user, in namespace `dev`, into the home; gives its path. */
  kubeconfig(user: string): Promise<string>;
  /** Ends the cluster, and removes the home. */
  close(): Promise<void>;
}

const web = { name: "web", ports: [{ name: "http", port: 80, targetPort: 8080 }], replicas: 1 };

/** Starts the cluster, and makes the home. */
export async function openPracticeHome(
  { services = [web], prefix = "hawser-" }: PracticeHomeOptions = {},
): Promise<PracticeHome> {
  await using opened = new AsyncDisposableStack();
  const root = await Deno.makeTempDir({ prefix });
  opened.defer(() => Deno.remove(root, { recursive: true }));
  const practice = opened.use(await startPractice());
  for (const service of services) await practice.addService({ namespace: "dev", ...service });
  const kubeconfig = async (user: string) => {
    const path = `${root}/${user}.kubeconfig`;
    await Deno.writeTextFile(path, practice.kubeconfig(user, { namespace: "dev" }));
    return path;
  };
  const env = {
    HOME: root,
    USERPROFILE: root,
    APPDATA: `${root}/roaming`,
    LOCALAPPDATA: `${root}/local`,
    KUBECONFIG: await kubeconfig("admin"),
  };
  const everything = opened.move();
  return { practice, root, env, kubeconfig, close: () => everything.disposeAsync() };
}
