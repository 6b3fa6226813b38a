import type { V1ObjectMeta } from "@kubernetes/client-node";

/** Whether hawser has made an object for its own use, in whatever session; a preview's Service is for everybody's. */
export function isHawsersOwn({ metadata }: { readonly metadata?: V1ObjectMeta }): boolean {
  const { name, labels } = metadata ?? {};
  return labels?.["app.kubernetes.io/managed-by"] === "hawser" && labels["hawser.dev/service"] !== name;
}
