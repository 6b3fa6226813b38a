import type { HostsFile } from "./hosts_file.ts";

/** A hosts file, as text to paste; what it cannot say is a comment. */
export function hostsLines({ entries, rest }: HostsFile): string {
  return [
    ...entries.map(({ address, names }) => `${address.padEnd(15)} ${names.join(" ")}`),
    ...rest.map(({ service, namespace, port, address, localPort }) =>
      `# ${service}.${namespace}:${port} is ${address}:${localPort}, which no hosts file can say`
    ),
  ].join("\n");
}
