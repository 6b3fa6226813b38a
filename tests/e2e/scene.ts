import { kubectl } from "./kubectl.ts";
import type { Manifest } from "./manifests.ts";

/** A namespace of a test's own, with what the test puts there. Deleted when disposed of. */
export class Scene implements AsyncDisposable {
  private constructor(readonly namespace: string) {}

  /** Makes the namespace `hawser-THEME-` and something random. */
  static async open(theme: string): Promise<Scene> {
    const namespace = `hawser-${theme}-${crypto.randomUUID().slice(0, 8)}`;
    await kubectl(["create", "namespace", namespace]);
    return new Scene(namespace);
  }

  /** Runs kubectl in the namespace. */
  async kubectl(...args: readonly string[]): Promise<string> {
    return await kubectl(["-n", this.namespace, ...args]);
  }

  async apply(...items: readonly Manifest[]): Promise<void> {
    await kubectl(
      ["-n", this.namespace, "apply", "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "List", items }),
    );
  }

  /** Waits until all pods of workloads (`deployment/web`) are ready. */
  async ready(...workloads: readonly string[]): Promise<void> {
    await Promise.all(workloads.map((each) => this.kubectl("rollout", "status", each, "--timeout=120s")));
  }

  /** Waits until a service has a ready endpoint that is another pod than `former`: a workload is ready a moment before its service knows. */
  async serves(service: string, former: string): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      const ready = await this.find(
        ["endpointslices", "-l", `kubernetes.io/service-name=${service}`],
        "{.items[*].endpoints[?(@.conditions.ready==true)].targetRef.name}",
      );
      if (ready.length > 0 && !ready.includes(former)) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`Service "${service}" has no ready endpoint but "${former}" within 20 s`);
  }

  /** Waits until the pods of an app have something under a JSON path. */
  async wait(app: string, condition: string): Promise<void> {
    await this.kubectl("wait", "pod", "-l", `app=${app}`, `--for=jsonpath=${condition}`, "--timeout=120s");
  }

  /** What a JSON path finds, word by word. */
  async find(what: readonly string[], path: string): Promise<string[]> {
    return (await this.kubectl("get", ...what, "-o", `jsonpath=${path}`)).split(/\s+/).filter((word) => word !== "");
  }

  /** Names of the pods of an app that are not on their way out. */
  async pods(app: string): Promise<string[]> {
    const { items }: { items: { metadata: { name: string; deletionTimestamp?: string } }[] } = JSON.parse(
      await this.kubectl("get", "pods", "-l", `app=${app}`, "-o", "json"),
    );
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) =>
      metadata.name
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await kubectl(["delete", "namespace", this.namespace, "--wait=false"]);
  }
}
