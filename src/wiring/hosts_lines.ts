import type { HostsFile } from "./hosts_file.ts";

/** A hosts file, as text to paste; what it cannot say is a comment. */
export function hostsLines({ entries, rest }: HostsFile): string {
  const others = Map.groupBy(rest, ({ service, namespace }) => `${service}.${namespace}`);
  return [
    ...entries.map(({ address, names }) => `${address.padEnd(15)} ${names.join(" ")}`),
    ...others.entries().map(([name, ports]) =>
      `# ${name} can have no line, as its ports are not all at one address with their own numbers: ${
        ports.map(({ port, address, localPort }) => `${port} is ${address}:${localPort}`).join(", ")
      }`
    ),
  ].join("\n");
}
