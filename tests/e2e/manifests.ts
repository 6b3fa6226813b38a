/** An object of the Kubernetes API, its namespace left out. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly [field: string]: unknown;
}

/** What a workload's pods differ in. */
export interface PodOptions {
  readonly replicas?: number;
  readonly image?: string;
  /** Arguments of the test service. */
  readonly args?: readonly string[];
  readonly readinessProbe?: unknown;
  /** Seconds between the request to end and the end by force. Default 1. */
  readonly grace?: number;
  /** Further fields of the pod's specification. */
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** Runs the test service: HTTP on 8080 (`http`), TCP on 7000 (`raw`), UDP on 7001. */
export const image = Deno.env.get("HAWSER_E2E_IMAGE") ?? "localhost/workload:1";

/** A Deployment whose pods have the label `app` with its name, by which they also answer. */
export function deployment(name: string, options: PodOptions = {}): Manifest {
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name }, spec: workloadSpec(name, options) };
}

/** A StatefulSet; its headless Service has the same name. */
export function statefulSet(name: string, options: PodOptions = {}): Manifest {
  const spec = { ...workloadSpec(name, options), serviceName: name };
  return { apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name }, spec };
}

/** A Service; by default for the pods with its name as their label `app`. */
export function service(name: string, spec: Readonly<Record<string, unknown>>): Manifest {
  return { apiVersion: "v1", kind: "Service", metadata: { name }, spec: { selector: { app: name }, ...spec } };
}

/** Endpoints made by hand for the Service `name`, which has no selector. */
export function endpointSlice(name: string, suffix: string, endpoints: unknown, ports: unknown): Manifest {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${name}-${suffix}`, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    endpoints,
    ports,
  };
}

function workloadSpec(name: string, options: PodOptions): Record<string, unknown> {
  const { replicas = 1, args = [], readinessProbe, grace = 1, spec } = options;
  const container = {
    name: "main",
    image: options.image ?? image,
    args: ["serve", "-name", name, ...args],
    ports: [{ name: "http", containerPort: 8080 }, { name: "raw", containerPort: 7000 }],
    readinessProbe,
  };
  return {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { terminationGracePeriodSeconds: grace, containers: [container], ...spec },
    },
  };
}
