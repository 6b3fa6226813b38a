import type { KubeObject } from "./kube_object.ts";
import type { Registry } from "./registry.ts";
import { resourceTable } from "./resource_table.ts";
import { StatusError } from "./status_error.ts";

const events = resourceTable.get("events")!;

/** Writes Events of type Warning; the same again only counts up. Nothing is said of what goes well. */
export class EventRecorder {
  readonly #registry: Registry;
  /** Name and count of each event told so far. */
  readonly #told = new Map<string, { readonly name: string; count: number }>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** `component` is who says it: `kubelet`, `default-scheduler`, `replicaset-controller`. */
  warn(about: KubeObject, component: string, reason: string, message: string): void {
    const { apiVersion, kind, metadata: { name, namespace = "default", uid, resourceVersion } } = about;
    const key = JSON.stringify([uid, reason, message]);
    const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    const told = this.#told.get(key);
    try {
      if (told) {
        const again = { count: ++told.count, lastTimestamp: now };
        this.#registry.patch(events, namespace, told.name, "application/merge-patch+json", again);
        return;
      }
      const event = this.#registry.create(events, namespace, {
        apiVersion: "v1",
        kind: "Event",
        metadata: { generateName: `${name}.`, namespace },
        involvedObject: { apiVersion, kind, name, namespace, uid, resourceVersion },
        reason,
        message,
        type: "Warning",
        count: 1,
        firstTimestamp: now,
        lastTimestamp: now,
        source: { component },
        reportingComponent: component,
        reportingInstance: "",
      });
      this.#told.set(key, { name: event.metadata.name, count: 1 });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error; // the namespace or the event is gone meanwhile
    }
  }
}
