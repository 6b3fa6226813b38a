import type { Scalable } from "./scalable.ts";

/** Paths of the collections that diverting traffic touches, in one namespace. */
export const paths = {
  services: (namespace: string): string => `/api/v1/namespaces/${namespace}/services`,
  pods: (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`,
  secrets: (namespace: string): string => `/api/v1/namespaces/${namespace}/secrets`,
  configMaps: (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`,
  slices: (namespace: string): string => `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
  deployments: (namespace: string): string => `/apis/apps/v1/namespaces/${namespace}/deployments`,
  ingresses: (namespace: string): string => `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`,
  /** Of one kind of workload that can be scaled, and of one workload. */
  scalables: (namespace: string, resource: Scalable["resource"]): string =>
    `/apis/apps/v1/namespaces/${namespace}/${resource}`,
  scalable: (namespace: string, { resource, name }: Scalable): string =>
    `/apis/apps/v1/namespaces/${namespace}/${resource}/${name}`,
  leases: (namespace: string): string => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`,
} as const;
