import type { AdmissionDenial } from "./faults.ts";
import type { KubeObject, Manifest } from "./kube_object.ts";
import type { PodObject } from "./pod_object.ts";
import { podSecurityViolation } from "./pod_security.ts";
import { exceededQuota } from "./resource_quota.ts";
import type { Resource } from "./resource_table.ts";
import type { ServiceObject, ServicePort } from "./service_object.ts";
import { StatusError } from "./status_error.ts";
import type { Store } from "./store.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Fills in defaults and refuses what cannot be: the parts of validation and admission that clients come to see. */
export class Admission {
  readonly #store: Store;
  readonly #dualStack: boolean;
  #lastAddress = 10;
  #nodePorts = 0;
  #denials: AdmissionDenial[] = [];

  constructor(store: Store, dualStack: boolean) {
    this.#store = store;
    this.#dualStack = dualStack;
  }

  /** See `Faults.denyAdmission`. */
  deny(denial: AdmissionDenial): void {
    this.#denials.push(denial);
  }

  denyNothing(): void {
    this.#denials = [];
  }

  /** The object as it is to be stored. `old` is undefined for a new one. Throws a StatusError for what is not let in. */
  admit(resource: Resource, object: KubeObject, old: KubeObject | undefined): KubeObject {
    const admitted = this.#complete(resource, object, old);
    const denial = this.#denials.find(({ kind, matches }) => kind === resource.kind && (matches?.(object) ?? true));
    // A status is not what policies look at, and an object that goes is not held.
    const same = old && JSON.stringify(old.spec) === JSON.stringify(object.spec) &&
      JSON.stringify(old.metadata) === JSON.stringify(object.metadata);
    if (denial && !same) {
      const { webhook = "policy.practice", message, status = 403 } = denial;
      const reason = status === 403 ? "Forbidden" : "BadRequest";
      throw new StatusError(status, reason, `admission webhook "${webhook}" denied the request: ${message}`);
    }
    if (!old) this.#limit(resource, admitted);
    return admitted;
  }

  /** Pod Security and quotas, which are for new objects. */
  #limit(resource: Resource, object: KubeObject): void {
    const { name, namespace = "" } = object.metadata;
    const labels = this.#store.get("namespaces", "", namespace)?.metadata.labels ?? {};
    const level = labels["pod-security.kubernetes.io/enforce"] ?? "privileged";
    const version = labels["pod-security.kubernetes.io/enforce-version"];
    const violation = resource.kind === "Pod"
      ? podSecurityViolation(object as PodObject, level, version) // its kind is Pod
      : undefined;
    const why = violation ?? (resource.namespaced ? exceededQuota(resource, object, this.#store) : undefined);
    if (why) {
      const details = { name, kind: resource.name };
      throw new StatusError(403, "Forbidden", `${resource.key} "${name}" is forbidden: ${why}`, details);
    }
  }

  #complete(resource: Resource, object: KubeObject, old: KubeObject | undefined): KubeObject {
    switch (resource.kind) {
      case "Service":
        return this.#service(object, old as ServiceObject | undefined); // stored Services have passed here
      case "Pod":
        return { ...object, status: object.status ?? { phase: "Pending" } };
      case "Namespace":
        return { ...object, status: object.status ?? { phase: "Active" } };
      case "Deployment":
      case "StatefulSet":
      case "ReplicaSet":
      case "DaemonSet":
        return workload(object);
      default:
        return object;
    }
  }

  #service(object: KubeObject, old: ServiceObject | undefined): KubeObject {
    const given = (object.spec ?? {}) as Partial<ServiceObject["spec"]>; // checked below as far as clients get it wrong
    const name = object.metadata.name;
    const type = given.type ?? "ClusterIP";
    const nodePorts = type === "NodePort" || type === "LoadBalancer";
    const ports = (given.ports ?? []).map(servicePort).map((port) => nodePorts ? this.#withNodePort(port) : port);
    const headless = given.clusterIP === "None";
    if (type !== "ExternalName" && !headless && ports.length === 0) {
      throw StatusError.invalid("Service", name, "spec.ports: Required value");
    }
    if (ports.length > 1 && ports.some((port) => !port.name)) {
      throw StatusError.invalid("Service", name, "spec.ports[0].name: Required value");
    }
    if (type === "ExternalName") {
      if (!given.externalName) throw StatusError.invalid("Service", name, "spec.externalName: Required value");
      return { ...object, spec: { sessionAffinity: "None", ...given, type, ports: ports.length ? ports : undefined } };
    }
    const before = old?.spec.type === "ExternalName" ? undefined : old?.spec;
    if (before?.clusterIP && given.clusterIP && given.clusterIP !== before.clusterIP) {
      const value = JSON.stringify([given.clusterIP]);
      throw StatusError.invalid(
        "Service",
        name,
        `spec.clusterIPs[0]: Invalid value: ${value}: may not change once set`,
      );
    }
    const ipFamilyPolicy = given.ipFamilyPolicy ?? before?.ipFamilyPolicy ?? "SingleStack";
    if (ipFamilyPolicy === "RequireDualStack" && !this.#dualStack) {
      const why =
        'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services';
      throw StatusError.invalid("Service", name, why);
    }
    const both = ipFamilyPolicy !== "SingleStack" && this.#dualStack;
    const ipFamilies = given.ipFamilies ?? before?.ipFamilies ?? (both ? ["IPv4", "IPv6"] : ["IPv4"]);
    const clusterIPs = headless ? ["None"] : before?.clusterIPs ?? this.#allocate(given.clusterIP, ipFamilies);
    return {
      ...object,
      spec: {
        sessionAffinity: "None",
        internalTrafficPolicy: "Cluster",
        ...given,
        type,
        ports: ports.length ? ports : undefined,
        ipFamilyPolicy,
        ipFamilies,
        clusterIPs,
        clusterIP: clusterIPs[0],
      },
      status: object.status ?? { loadBalancer: {} },
    };
  }

  #withNodePort(port: ServicePort): ServicePort {
    return port.nodePort === undefined ? { ...port, nodePort: 30_000 + this.#nodePorts++ } : port;
  }

  #allocate(wanted: string | undefined, families: readonly string[]): string[] {
    const taken = new Set(
      this.#store.list<ServiceObject>("services").flatMap((service) => service.spec.clusterIPs ?? []),
    );
    do this.#lastAddress++; while (taken.has(address(this.#lastAddress, "IPv4")));
    const number = this.#lastAddress;
    return families.map((family, i) => i === 0 && wanted ? wanted : address(number, family));
  }
}

function address(number: number, family: string): string {
  return family === "IPv4" ? `10.96.${number >> 8}.${number & 0xff}` : `fd00:10:96::${number.toString(16)}`;
}

function servicePort(port: Partial<ServicePort> & { readonly port: number }): ServicePort {
  return { ...port, protocol: port.protocol ?? "TCP", targetPort: port.targetPort ?? port.port };
}

function workload(object: KubeObject): KubeObject {
  const spec = (object.spec ?? {}) as Fields; // JSON objects by the time they are read
  const selector = spec.selector as { readonly matchLabels?: Fields } | undefined;
  const template = spec.template as Manifest | undefined;
  const labels = template?.metadata?.labels ?? {};
  if (!selector?.matchLabels || Object.entries(selector.matchLabels).some(([key, value]) => labels[key] !== value)) {
    const why = "spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`";
    throw StatusError.invalid(object.kind, object.metadata.name, why);
  }
  return object.kind === "DaemonSet" ? object : { ...object, spec: { replicas: 1, ...spec } };
}
