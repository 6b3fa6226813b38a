import type { VersionLabel } from "../inbound/variant.ts";

/**
 * The Istio objects, as YAML, by which requests with a header come to the pods with a label, and all others do not. Istio joins the DestinationRules of a host, so
 * that each developer has one of their own; of the VirtualServices of a host it takes one, which developers therefore have to share.
 */
export function routingExample(namespace: string, service: string, { key, value }: VersionLabel): string {
  const name = value.toLowerCase().replaceAll(/[._]/g, "-");
  const label = JSON.stringify(key);
  const subset = JSON.stringify(name);
  const header = JSON.stringify(key.split("/").at(-1));
  const rule = (name: string, subset: string) => [
    "apiVersion: networking.istio.io/v1",
    "kind: DestinationRule",
    `metadata: { name: ${service}-${name}, namespace: ${namespace} }`,
    "spec:",
    `  host: ${service}`,
    "  subsets:",
    `  - ${subset}`,
    "---",
  ];
  return [
    ...rule(name, `{ name: ${subset}, labels: { ${label}: ${JSON.stringify(value)} } }`),
    ...rule("others", `{ name: others, labels: { ${label}: VALUE } }   # that of your own pods`),
    "# Istio takes one VirtualService for a service. Where there is one already, add the entry with",
    '# "match" to its "http", before those that are less exact, instead of applying this one.',
    "apiVersion: networking.istio.io/v1",
    "kind: VirtualService",
    `metadata: { name: ${service}, namespace: ${namespace} }`,
    "spec:",
    `  hosts: [${service}]`,
    "  http:",
    `  - match: [{ headers: { ${header}: { exact: ${JSON.stringify(value)} } } }]`,
    `    route: [{ destination: { host: ${service}, subset: ${subset} } }]`,
    `  - route: [{ destination: { host: ${service}, subset: others } }]`,
  ].join("\n");
}
