import type { Admission } from "./admission.ts";
import type { KubeObject, Manifest, ObjectMeta } from "./kube_object.ts";
import { patch } from "./patch.ts";
import { resourceTable } from "./resource_table.ts";
import type { Resource } from "./resource_table.ts";
import { StatusError } from "./status_error.ts";
import type { Store } from "./store.ts";

/** What a delete may be told (`DeleteOptions`). */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Foreground" | "Background" | "Orphan";
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** The finalizer of what is deleted in the foreground. */
const waitsForDependents = "foregroundDeletion";

/** How a write is to be done. */
export interface WriteOptions {
  /** `status` writes that alone; the main resource leaves it as it is. */
  readonly subresource?: string;
  /** Says what would become of it, without doing it. */
  readonly dryRun?: boolean;
}

/** Creates, changes and deletes objects by Kubernetes' rules. All throw {@linkcode StatusError}. */
export class Registry {
  readonly #store: Store;
  readonly #admission: Admission;

  constructor(store: Store, admission: Admission) {
    this.#store = store;
    this.#admission = admission;
  }

  get(resource: Resource, namespace: string, name: string): KubeObject {
    const object = this.#store.get(resource.key, namespace, name);
    if (!object) throw StatusError.notFound(resource, name);
    return object;
  }

  create(resource: Resource, namespace: string, manifest: Manifest, options: WriteOptions = {}): KubeObject {
    const given = manifest.metadata ?? {};
    const name = given.name || (given.generateName ? given.generateName + suffix() : "");
    if (!name) {
      throw StatusError.invalid(resource.kind, "", "metadata.name: Required value: name or generateName is required");
    }
    if (!/^[a-z0-9:]([-a-z0-9.:]*[a-z0-9])?$/.test(name) || name.length > 253) {
      throw StatusError.invalid(
        resource.kind,
        name,
        `metadata.name: Invalid value: "${name}": a lowercase RFC 1123 subdomain must ` +
          "consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
      );
    }
    if (resource.namespaced && given.namespace && given.namespace !== namespace) {
      throw StatusError.badRequest(
        "the namespace of the provided object does not match the namespace sent on the request",
      );
    }
    if (resource.namespaced && !this.#store.get("namespaces", "", namespace)) {
      throw StatusError.notFound(resourceTable.get("namespaces")!, namespace);
    }
    if (this.#store.get(resource.key, namespace, name)) throw StatusError.alreadyExists(resource, name);
    const metadata: ObjectMeta = {
      ...given,
      name,
      ...(resource.namespaced ? { namespace } : {}),
      uid: crypto.randomUUID(),
      resourceVersion: "",
      generation: 1,
      creationTimestamp: timestamp(),
    };
    const admitted = this.#admission.admit(resource, {
      ...manifest,
      apiVersion: resource.apiVersion,
      kind: resource.kind,
      metadata,
    }, undefined);
    return options.dryRun ? admitted : this.#store.put(resource.key, written(admitted));
  }

  update(
    resource: Resource,
    namespace: string,
    name: string,
    manifest: Manifest,
    options: WriteOptions = {},
  ): KubeObject {
    const old = this.get(resource, namespace, name);
    const { uid, resourceVersion } = manifest.metadata ?? {};
    if (uid && uid !== old.metadata.uid) throw preconditionFailed("UID", uid, old.metadata.uid, resource, name);
    if (resourceVersion && resourceVersion !== old.metadata.resourceVersion) throw StatusError.conflict(resource, name);
    return this.#write(resource, old, manifest, options);
  }

  /** `type` is the patch's media type. `application/apply-patch+yaml` creates what is missing. */
  patch(
    resource: Resource,
    namespace: string,
    name: string,
    type: string,
    body: unknown,
    options: WriteOptions = {},
  ): KubeObject {
    const old = this.#store.get(resource.key, namespace, name);
    if (!old && type === "application/apply-patch+yaml" && !options.subresource) {
      const manifest = body as Manifest; // create looks at what it needs of it
      return this.create(resource, namespace, { ...manifest, metadata: { ...manifest.metadata, name } }, options);
    }
    if (!old) throw StatusError.notFound(resource, name);
    // A patched object is an object again; write puts its identity right.
    return this.update(resource, namespace, name, patch({ ...old }, type, body) as unknown as Manifest, options);
  }

  /** Removes an object, or begins to: pods on a node and objects with finalizers only get their deletionTimestamp. */
  delete(resource: Resource, namespace: string, name: string, options: DeleteOptions = {}): KubeObject {
    const object = this.get(resource, namespace, name);
    const { uid, resourceVersion } = options.preconditions ?? {};
    if (uid && uid !== object.metadata.uid) throw preconditionFailed("UID", uid, object.metadata.uid, resource, name);
    if (resourceVersion && resourceVersion !== object.metadata.resourceVersion) {
      throw preconditionFailed("ResourceVersion", resourceVersion, object.metadata.resourceVersion, resource, name);
    }
    const grace = options.gracePeriodSeconds ?? gracePeriod(resource, object);
    const begun = object.metadata.deletionTimestamp !== undefined;
    if (options.propagationPolicy === "Foreground" && !begun && this.#dependents(object.metadata.uid).length > 0) {
      return this.#removeAfterDependents(resource, object, grace);
    }
    if (grace > 0 || object.metadata.finalizers?.length) {
      if (object.metadata.deletionTimestamp) return object;
      const metadata = {
        ...object.metadata,
        deletionTimestamp: timestamp(grace * 1000),
        deletionGracePeriodSeconds: grace,
      };
      return this.#store.put(resource.key, { ...object, metadata });
    }
    return this.#remove(resource, object, options.propagationPolicy === "Orphan");
  }

  #write(resource: Resource, old: KubeObject, manifest: Manifest, options: WriteOptions): KubeObject {
    const status = resource.subresources.includes("status");
    const given: Manifest = options.subresource === "status"
      ? { ...old, status: manifest.status }
      : { ...manifest, ...(status ? { status: old.status } : {}) };
    const { name, namespace, uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds } = old.metadata;
    const changed = JSON.stringify(given.spec) !== JSON.stringify(old.spec);
    const metadata: ObjectMeta = {
      ...given.metadata,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      creationTimestamp,
      ...(deletionTimestamp ? { deletionTimestamp, deletionGracePeriodSeconds } : {}),
      resourceVersion: old.metadata.resourceVersion,
      generation: (old.metadata.generation ?? 1) + (changed ? 1 : 0),
      managedFields: old.metadata.managedFields,
    };
    const admitted = this.#admission.admit(resource, {
      ...given,
      apiVersion: resource.apiVersion,
      kind: resource.kind,
      metadata,
    }, old);
    if (options.dryRun || JSON.stringify(admitted) === JSON.stringify(old)) return admitted;
    const stored = this.#store.put(resource.key, written(admitted));
    const finished = deletionTimestamp && old.metadata.finalizers?.length && !metadata.finalizers?.length;
    return finished ? this.#remove(resource, stored, false) : stored;
  }

  /** Foreground deletion: the object waits, as terminating, for those of its dependents that block it. */
  #removeAfterDependents(resource: Resource, object: KubeObject, grace: number): KubeObject {
    const metadata = {
      ...object.metadata,
      finalizers: [...object.metadata.finalizers ?? [], waitsForDependents],
      deletionTimestamp: timestamp(grace * 1000),
      deletionGracePeriodSeconds: grace,
    };
    const waiting = this.#store.put(resource.key, { ...object, metadata });
    for (const [key, other] of this.#dependents(object.metadata.uid)) {
      const kind = resourceTable.get(key)!;
      const { namespace = "", name } = other.metadata;
      if (this.#store.get(key, namespace, name)) {
        this.delete(kind, namespace, name, { propagationPolicy: "Foreground" });
      }
    }
    this.#finishWaiting();
    return this.#store.get(resource.key, object.metadata.namespace ?? "", object.metadata.name) ?? waiting;
  }

  /** Takes away what waits for dependents that are gone. */
  #finishWaiting(): void {
    for (const [key, object] of [...this.#store.everything()]) {
      const { finalizers = [], uid } = object.metadata;
      if (!finalizers.includes(waitsForDependents)) continue;
      const blocking = this.#dependents(uid).some(([, { metadata }]) =>
        metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion)
      );
      if (blocking) continue;
      const left = finalizers.filter((finalizer) => finalizer !== waitsForDependents);
      const freed = this.#store.put(key, { ...object, metadata: { ...object.metadata, finalizers: left } });
      if (left.length === 0) return void this.#remove(resourceTable.get(key)!, freed, false); // which looks again
    }
  }

  #dependents(uid: string): [string, KubeObject][] {
    return [...this.#store.everything()].filter(([, { metadata }]) =>
      metadata.ownerReferences?.some((owner) => owner.uid === uid)
    );
  }

  /** Takes the object away, and with it what belongs to it alone. */
  #remove(resource: Resource, object: KubeObject, orphan: boolean): KubeObject {
    const last = this.#store.remove(resource.key, object);
    const { uid, name } = object.metadata;
    for (const [key, other] of [...this.#store.everything()]) {
      const kind = resourceTable.get(key)!;
      const inside = resource.kind === "Namespace" && other.metadata.namespace === name;
      const owners = other.metadata.ownerReferences ?? [];
      const owned = owners.some((owner) => owner.uid === uid);
      if (!inside && !owned) continue;
      if (!this.#store.get(key, other.metadata.namespace ?? "", other.metadata.name)) continue; // gone with another owner
      const left = owners.filter((owner) => owner.uid !== uid);
      if (!inside && (orphan || left.length > 0)) {
        this.#store.put(key, { ...other, metadata: { ...other.metadata, ownerReferences: left } });
      } else if (inside) this.delete(kind, name, other.metadata.name, { gracePeriodSeconds: 0 });
      else this.delete(kind, other.metadata.namespace ?? "", other.metadata.name);
    }
    this.#finishWaiting();
    return last;
  }
}

function gracePeriod(resource: Resource, object: KubeObject): number {
  if (resource.kind !== "Pod") return 0;
  const spec = object.spec as { nodeName?: string; terminationGracePeriodSeconds?: number }; // a Pod's
  return spec.nodeName ? spec.terminationGracePeriodSeconds ?? 30 : 0;
}

function preconditionFailed(
  what: string,
  wanted: string,
  found: string,
  resource: Resource,
  name: string,
): StatusError {
  const why = `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`;
  const message = `Operation cannot be fulfilled on ${resource.key} "${name}": ${why}`;
  return new StatusError(409, "Conflict", message, { name, kind: resource.name });
}

/** With the time of the write, as the API server notes it. */
function written(object: KubeObject): KubeObject {
  const managedFields = [{ manager: "practice", operation: "Update", time: timestamp() }];
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

/** Now, or so many milliseconds from now, as Kubernetes writes times. */
function timestamp(later = 0): string {
  return new Date(Date.now() + later).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Five characters as Kubernetes appends to generated names. */
function suffix(): string {
  const letters = "bcdfghjklmnpqrstvwxz2456789";
  return Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => letters[byte % letters.length]).join("");
}
