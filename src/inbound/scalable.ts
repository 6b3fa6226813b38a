/** A workload that can be scaled, by the resource's name in paths. */
export interface Scalable {
  readonly resource: "deployments" | "statefulsets";
  readonly name: string;
}

/** `deployment/orders`, as kubectl has it. */
export function describeScalable({ resource, name }: Scalable): string {
  return `${resource.slice(0, -1)}/${name}`;
}
