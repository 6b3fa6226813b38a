import { assert, assertEquals } from "@std/assert";
import { Home, runHawser, RunningHawser } from "./hawser.ts";
import { kubectl, type KubectlForward, kubectlForward } from "./kubectl.ts";
import { type Manifest, service } from "./manifests.ts";
import { Scene } from "./scene.ts";
import { certificateUser, type Credentials, roleBinding, writeKubeconfig } from "./users.ts";

/** A stock image with Node that the cluster can run. */
export const nodeImage = Deno.env.get("HAWSER_E2E_NODE") ?? "localhost/node:20";

/** The port on which services are asked for HTTP, and that for calls as gRPC makes them. */
const ports = [{ name: "http", port: 80, targetPort: "http" }, { name: "calls", port: 50051, targetPort: "calls" }];

/** What became of the requests of a load. */
export interface LoadResult {
  readonly answered: number;
  /** By the body of the answer. */
  readonly by: Readonly<Record<string, number>>;
  readonly failed: readonly string[];
}

/**
 * A namespace that enforces the *restricted* Pod Security Standard, with a user who has the Role that `hawser doctor --rbac --inbound` prints and no other right,
 * a deployment `web` that answers with its name (`answering_program.mjs`), and a pod that asks (`asking_program.mjs`). The service `web` leads to it, and so does
 * every other that a test makes for itself.
 */
export class InboundScene implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #asking: KubectlForward;

  private constructor(
    stack: AsyncDisposableStack,
    readonly scene: Scene,
    /** The user's. */
    readonly home: Pick<Home, "folder" | "env">,
    readonly user: Credentials,
    asking: KubectlForward,
  ) {
    this.#stack = stack;
    this.#asking = asking;
  }

  /** `rights` are further flags of `hawser doctor --rbac --inbound`. */
  static async open(theme: string, ...rights: readonly string[]): Promise<InboundScene> {
    await using stack = new AsyncDisposableStack();
    const scene = stack.use(await Scene.open(theme));
    const { namespace } = scene;
    await scene.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted");
    const admin = stack.use(await Home.open());
    const programs = Object.fromEntries(
      await Promise.all(["answering_program.mjs", "asking_program.mjs"].map(async (name) => {
        return [name, await Deno.readTextFile(new URL(name, import.meta.url))];
      })),
    );
    await scene.apply(
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "programs" }, data: programs },
      deployment("web", 2, ["answering_program.mjs", "web", "8080", "8081"]),
      deployment("asking", 1, ["asking_program.mjs", "9000"]),
      service("web", { ports }),
    );
    const role = await runHawser(admin, ["doctor", "--rbac", "--inbound", ...rights, "-n", namespace]);
    await kubectl(["-n", namespace, "apply", "-f", "-"], role.stdout);
    await scene.apply(roleBinding("user", { kind: "Role", name: "hawser" }, { kind: "User", name: namespace }));
    const user = await certificateUser(namespace);
    const kubeconfig = await writeKubeconfig(`${admin.folder}/user.kubeconfig`, { user, namespace });
    const home = admin.with({ KUBECONFIG: kubeconfig, USER: "alice" });
    await scene.ready("deployment/web", "deployment/asking");
    const asking = stack.use(await kubectlForward(namespace, "deployment/asking", 9000));
    const opened = new InboundScene(stack.move(), scene, home, user, asking);
    await opened.answers("web");
    return opened;
  }

  /** Makes a service of a test's own that leads to `web`, and waits until it answers. */
  async serve(name: string, spec: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.scene.apply(service(name, { selector: { app: "web" }, ports, ...spec }));
    await this.answers(name);
  }

  /** Has the pod inside do something. */
  async inside<T>(order: Readonly<Record<string, unknown>>): Promise<T> {
    const url = `http://127.0.0.1:${this.#asking.port}/`;
    const response = await fetch(url, { method: "POST", body: JSON.stringify(order) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${JSON.stringify(order)}: ${text}`);
    return JSON.parse(text);
  }

  /** Who answers a request from inside the cluster, or why nobody does. */
  async ask(address: string, mark?: string, patience = 10_000): Promise<string> {
    const headers = mark === undefined ? {} : { version: mark };
    const [host, port = "80"] = address.split(":");
    try {
      const order = { do: "ask", host, port: Number(port), headers, patience };
      const { status, body } = await this.inside<{ status: number; body: string }>(order);
      return status === 200 ? body.split(" ")[0] ?? "" : `HTTP ${status} ${body}`;
    } catch (error) {
      return String(error);
    }
  }

  /**
   * Waits until requests get to `who`; how many milliseconds that took. The nodes learn of a change a moment after the API server, and a connection that was
   * tried before a node knew of its Service never comes about: hence a new one after a short while.
   */
  async answers(host: string, who = "web", limit = 20_000): Promise<number> {
    let last = "";
    const there = async () => (last = await this.ask(host, undefined, 2_000)) === who;
    return await eventually(there, limit, () => `${who} answers for ${host}, not ${last}`);
  }

  /** Waits until requests with each of some marks get to `who`. */
  async answersAll(host: string, marks: readonly string[], who: string): Promise<void> {
    const there = async (mark: string) => await this.ask(host, mark) === who;
    const name = () => `${who} answers for ${host} with ${marks.join(" and ")}`;
    await eventually(async () => (await Promise.all(marks.map(there))).every((each) => each), 5_000, name);
  }

  /** Asks a service all the time, over kept connections and over new ones. */
  async load(host: string): Promise<{ stop(): Promise<LoadResult> }> {
    const name = crypto.randomUUID();
    await this.inside({ do: "load", name, host });
    return { stop: () => this.inside<LoadResult>({ do: "stopLoad", name }) };
  }

  /** Starts `hawser exchange|mesh SERVICE` as the user for the program on a local port; `expose` may be all of that flag's value. */
  start(command: string, name: string, expose: number | string, ...flags: readonly string[]): RunningHawser {
    const local = typeof expose === "number" ? `${expose}:80` : expose;
    const where = ["--agent-image", nodeImage, "-o", "json"];
    return new RunningHawser(this.home, [command, name, "--expose", local, ...where, ...flags]);
  }

  /** Starts it, and waits until it stands and the nodes know. */
  async started(command: string, name: string, port: number, ...flags: readonly string[]): Promise<RunningHawser> {
    const running = this.start(command, name, port, ...flags);
    await running.line();
    if (command === "exchange") await this.answers(name, "laptop", 5_000);
    return running;
  }

  /** Runs another command as the user, to its end. */
  async run(...args: readonly string[]): ReturnType<typeof runHawser> {
    return await runHawser(this.home, args, 90_000);
  }

  /** Posts an object as the administrator does. */
  async post(path: string, object: unknown): Promise<void> {
    await kubectl(["create", "--raw", path, "-f", "-"], JSON.stringify(object));
  }

  /** The Service as it is, without what every write changes. */
  async state(name: string): Promise<unknown> {
    return unversioned(JSON.parse(await this.scene.kubectl("get", "service", name, "-o", "json")));
  }

  /** Names of hawser's objects for a service, or of all of them. */
  async ours(name?: string): Promise<string> {
    const kinds = "deployments,services,configmaps,secrets,leases,pods";
    const which = `app.kubernetes.io/managed-by=hawser${name === undefined ? "" : `,hawser.dev/service=${name}`}`;
    return await this.scene.kubectl("get", kinds, "-l", which, "-o", "name");
  }

  /** Waits until a service is what it was, field by field, and nothing of hawser's is left for it. */
  async restored(name: string, before: unknown): Promise<void> {
    assertEquals(await this.state(name), before);
    await eventually(async () => await this.ours(name) === "", 30_000, () => `nothing is left for ${name}`);
  }

  /** Waits until nothing of hawser's is left at all: what belongs to an agent is collected by the cluster after it. */
  async nothingLeft(): Promise<void> {
    let left = "";
    await eventually(async () => (left = await this.ours()) === "", 60_000, () => `nothing is left, not ${left}`);
  }

  /** All objects of the namespace, without what changes by itself. */
  async objects(): Promise<readonly unknown[]> {
    const kinds = (await kubectl(["api-resources", "--namespaced", "--verbs=list", "-o", "name"])).trim().split("\n");
    const kept = kinds.filter((kind) => !/^(events|endpoints$|endpointslices|.*metrics\.k8s\.io)/.test(kind));
    const { items }: { items: KubeObject[] } = JSON.parse(
      await this.scene.kubectl("get", kept.join(","), "-o", "json"),
    );
    return items.filter(({ metadata }) => !metadata.deletionTimestamp).map(unversioned);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

interface KubeObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string } & Readonly<Record<string, unknown>>;
  readonly status?: unknown;
}

/** Waits until something holds, looking again and again; how many milliseconds that took. */
export async function eventually(what: () => Promise<boolean>, limit: number, name: () => string): Promise<number> {
  const started = performance.now();
  while (!await what()) {
    assert(performance.now() - started < limit, `Not within ${limit} ms: ${name()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return performance.now() - started;
}

/** An object without what every write changes, and what Kubernetes notes by itself. */
function unversioned({ metadata, status: _status, ...rest }: KubeObject): unknown {
  const { resourceVersion: _version, managedFields: _fields, generation: _generation, ...kept } = metadata;
  return { metadata: kept, ...rest };
}

/** Pods under the *restricted* standard that run one of the programs. */
export function deployment(name: string, replicas: number, command: readonly string[]): Manifest {
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name }, spec: workload(name, replicas, command) };
}

/** The specification of a workload whose pods run one of the programs, with the label `app`. */
export function workload(name: string, replicas: number, [program, ...args]: readonly string[]): object {
  const container = {
    name: "main",
    image: nodeImage,
    command: ["node", `/programs/${program}`, ...args],
    ports: [{ name: "http", containerPort: 8080 }, { name: "calls", containerPort: 8081 }],
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    volumeMounts: [{ name: "programs", mountPath: "/programs" }],
    ...program === "answering_program.mjs" && { readinessProbe: { tcpSocket: { port: "http" }, periodSeconds: 1 } },
  };
  const spec = {
    containers: [container],
    volumes: [{ name: "programs", configMap: { name: "programs" } }],
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
    terminationGracePeriodSeconds: 1,
  };
  return {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec },
  };
}
