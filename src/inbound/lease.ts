/** `coordination.k8s.io/v1` Lease, as the wire has it. */
export interface Lease {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    /** Who wrote which fields, and when, which the API server notes at each write. */
    readonly managedFields?: readonly { readonly time?: string }[];
  };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
  };
}

/** Annotation of a Lease: the process that holds it, see `LocalProcess`. */
export const processAnnotation = "hawser.dev/process";

/** A MicroTime. */
export function microTime(wall: number): string {
  return new Date(wall).toISOString().replace("Z", "000Z");
}
