import type { External } from "./external.ts";

/** How traffic is brought in where it is not by the Service's selector. One developer at a time has an agent of such a kind. */
export type Variant =
  /** The agent wears the workload's labels, and the workload has no pods meanwhile. */
  | { readonly kind: "scale" }
  /** The agent is one more pod of the Service, with a label by which a router tells it from the others. */
  | { readonly kind: "manual"; readonly label: VersionLabel }
  /** A preview that can be reached from outside the cluster. */
  | { readonly kind: "external"; readonly external: External };

/** What a pod is told apart by: `version: blue`. */
export interface VersionLabel {
  readonly key: string;
  readonly value: string;
}
