import type { VersionLabel } from "../inbound/variant.ts";

/** The Istio objects, as YAML, by which requests with a header come to the pods with a label, and all others do not. */
export function routingExample(namespace: string, service: string, { key, value }: VersionLabel): string {
  const [name, others] = [JSON.stringify(value.toLowerCase().replaceAll(/[._]/g, "-")), '"others"'];
  const label = JSON.stringify(key);
  const metadata = `metadata: { name: ${service}, namespace: ${namespace} }`;
  const header = JSON.stringify(key.split("/").at(-1));
  return [
    "apiVersion: networking.istio.io/v1",
    "kind: DestinationRule",
    metadata,
    "spec:",
    `  host: ${service}`,
    "  subsets:",
    `  - { name: ${name}, labels: { ${label}: ${JSON.stringify(value)} } }`,
    `  - { name: ${others}, labels: { ${label}: VALUE } }   # that of your own pods`,
    "---",
    "apiVersion: networking.istio.io/v1",
    "kind: VirtualService",
    metadata,
    "spec:",
    `  hosts: [${service}]`,
    "  http:",
    `  - match: [{ headers: { ${header}: { exact: ${JSON.stringify(value)} } } }]`,
    `    route: [{ destination: { host: ${service}, subset: ${name} } }]`,
    `  - route: [{ destination: { host: ${service}, subset: ${others} } }]`,
  ].join("\n");
}
