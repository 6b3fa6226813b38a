import { isIP } from "node:net";
import { parseWorkload, type WorkloadName } from "../cluster/workload.ts";
import { readPort } from "./flag.ts";
import { UsageError } from "./usage_error.ts";

/** One port to forward. */
export interface ForwardedPort {
  /** Undefined for any free one. */
  readonly local: number | undefined;
  /** A number, or the name of a port. */
  readonly remote: number | string;
  readonly network: "tcp" | "udp";
}

/** What to forward to. */
export type ForwardTarget =
  /** A name or address as programs in the cluster would use it: `mysql`, `orders.shop`, `10.244.0.7`. */
  | { readonly kind: "host"; readonly text: string; readonly host: string }
  /** An object that stands for pods: `deploy/api`, `pod/x`. */
  | { readonly kind: "workload"; readonly text: string; readonly workload: WorkloadName };

/** A target and its ports. */
export interface Forward {
  readonly target: ForwardTarget;
  /** Empty where none was given: then the target's only one is meant. */
  readonly ports: readonly ForwardedPort[];
}

/**
 * Reads `TARGET [LOCAL:]PORT[/udp]… [TARGET …]…`. A word is a port when it is a number or has a colon that no IPv6 address has. Throws a
 * {@linkcode UsageError}.
 */
export function parseForwards(words: readonly string[]): Forward[] {
  const forwards: { target: ForwardTarget; ports: ForwardedPort[] }[] = [];
  for (const word of words) {
    if (!isPort(word)) {
      forwards.push({ target: parseTarget(word), ports: [] });
      continue;
    }
    const last = forwards.at(-1);
    if (!last) {
      throw new UsageError(
        `Before port "${word}" there must be a target, as in: hawser forward mysql ${word}`,
        "forward",
      );
    }
    last.ports.push(parsePort(word));
  }
  const taken = new Set<string>();
  for (const { local, network } of forwards.flatMap(({ ports }) => ports)) {
    if (local === undefined) continue;
    const port = `${local}/${network}`;
    if (taken.has(port)) {
      throw new UsageError(`Local port ${local} is asked for twice: write another, as in ${local + 1}:PORT`, "forward");
    }
    taken.add(port);
  }
  return forwards;
}

function isPort(word: string): boolean {
  return /^\d+(\/(tcp|udp))?$/.test(word) || word.includes(":") && isIP(word) === 0;
}

function parseTarget(text: string): ForwardTarget {
  if (!text.includes("/")) return { kind: "host", text, host: text };
  let workload: WorkloadName;
  try {
    const service = /^(?:svc|services?)\/(.+)$/i.exec(text)?.[1];
    if (service !== undefined) return { kind: "host", text, host: service };
    workload = parseWorkload(text);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), "forward");
  }
  return { kind: "workload", text, workload };
}

function parsePort(word: string): ForwardedPort {
  const [, local, remote = "", udp] = /^(?:(\d*):)?([^:/]+)(?:\/(?:tcp|(udp)))?$/.exec(word) ?? [];
  const named = /^(?=[a-z0-9-]*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/.test(remote); // an IANA service name
  if (!named && !/^\d+$/.test(remote)) {
    throw new UsageError(
      `"${word}" is no port: write PORT, LOCAL:PORT or :PORT, where PORT is a number or a port's name, with /udp for UDP`,
      "forward",
    );
  }
  return {
    local: local === undefined
      ? readPort(remote, "PORT")
      : local === "" || local === "0"
      ? undefined
      : readPort(local, `The local port of "${word}"`),
    remote: named ? remote : readPort(remote, `The target's port of "${word}"`),
    network: udp ? "udp" : "tcp",
  };
}
