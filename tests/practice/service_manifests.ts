import type { Manifest } from "./kube_object.ts";

/** A Service and what is behind it, in few words. */
export interface ServiceManifestOptions {
  readonly namespace: string;
  readonly name: string;
  /** Default: one port 80 to the workload's 8080. */
  readonly ports?: readonly {
    readonly name?: string;
    readonly port: number;
    /** Number, or name of a container port. Default: `port`. */
    readonly targetPort?: number | string;
    readonly protocol?: "TCP" | "UDP";
  }[];
  /** Default `ClusterIP`; `Headless` makes a StatefulSet instead of a Deployment. */
  readonly kind?: "ClusterIP" | "Headless";
  /** Default 1. */
  readonly replicas?: number;
  /** Default `practice/workload`. */
  readonly image?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Container ports to declare. Default: `http` 8080 and `tcp` 7000. */
  readonly containerPorts?: readonly { readonly name: string; readonly port: number }[];
  /** Annotations of the pods, such as `practice/state`. */
  readonly podAnnotations?: Readonly<Record<string, string>>;
  /** Further fields of the Service's spec. */
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** The Service and the Deployment or StatefulSet of {@linkcode ServiceManifestOptions}; pods are labelled `app: NAME`. */
export function serviceManifests(options: ServiceManifestOptions): Manifest[] {
  const { namespace, name, kind = "ClusterIP", replicas = 1, image = "practice/workload" } = options;
  const metadata = { namespace, name, labels: { app: name } };
  const ports = options.ports ?? [{ port: 80, targetPort: 8080 }];
  const containerPorts = options.containerPorts ?? [{ name: "http", port: 8080 }, { name: "tcp", port: 7000 }];
  const selector = { app: name };
  const stateful = kind === "Headless";
  const service: Manifest = {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: { selector, ports, ...(stateful ? { clusterIP: "None" } : {}), ...options.spec },
  };
  const workload: Manifest = {
    apiVersion: "apps/v1",
    kind: stateful ? "StatefulSet" : "Deployment",
    metadata,
    spec: {
      replicas,
      selector: { matchLabels: selector },
      ...(stateful ? { serviceName: name } : {}),
      template: {
        metadata: { labels: selector, annotations: options.podAnnotations },
        spec: {
          containers: [{
            name,
            image,
            args: options.args ?? [],
            env: Object.entries({ NAME: name, ...options.env }).map(([name, value]) => ({ name, value })),
            ports: containerPorts.map(({ name, port }) => ({ name, containerPort: port })),
          }],
        },
      },
    },
  };
  return [service, workload];
}
