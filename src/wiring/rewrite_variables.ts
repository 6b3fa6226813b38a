import { type ListenerOf, rewriteAddresses } from "./rewrite_addresses.ts";

/** `DB_HOST`, `redis.hostname`: what comes before, and the word in its spelling. */
const hostName = /^(.*?)(HOST(?:NAME)?|Host|host(?:name)?|ADDR(?:ESS)?|SERVER)$/s;

/**
 * Variables with the addresses in their values replaced, as {@linkcode rewriteAddresses} does it; and where a host and its port are two variables (`DB_HOST` and `DB_PORT`),
 * both. A host without a port stays: nothing tells which port it is for.
 */
export function rewriteVariables(
  variables: Readonly<Record<string, string>>,
  listenerOf: ListenerOf,
): Record<string, string> {
  const rewritten = Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, rewriteAddresses(value, listenerOf)]),
  );
  for (const [name, host] of Object.entries(variables)) {
    const [, before = "", word] = hostName.exec(name) ?? [];
    if (word === undefined) continue;
    const portName = before + (word === "Host" ? "Port" : word === word.toUpperCase() ? "PORT" : "port");
    const port = /^\d{1,5}$/.test(variables[portName] ?? "") ? Number(variables[portName]) : 0;
    const found = port > 0 ? listenerOf(host, port) : undefined;
    if (!found) continue;
    rewritten[name] = found.host;
    rewritten[portName] = String(found.port);
  }
  return rewritten;
}
