import { Failure } from "../platform/failure.ts";
import { probeIsolation } from "../wiring/isolation/probe_isolation.ts";
import type { CliDeps } from "./deps.ts";

/** The command that an isolated program stands behind. */
export type IsolatingCommand = readonly [string, ...string[]];

/**
 * Whether this machine can do what `--isolate` asks for: undefined for none, also where `auto` cannot have it, which is then told. Rejects with a `Failure` where
 * `net` cannot be had.
 */
export async function findIsolation(
  mode: "net" | "auto" | "none",
  { os, env, log }: Pick<CliDeps, "os" | "env" | "log">,
): Promise<IsolatingCommand | undefined> {
  if (mode === "none") return undefined;
  const probe = await probeIsolation({ os, env });
  if (probe.possible) return probe.unshare;
  const sentence = `The program cannot have a network of its own: ${probe.reason}`;
  if (mode === "net") throw new Failure(`${sentence}. Leave --isolate out: variables and hooks reach most programs`);
  log.event(`${sentence}. It runs without`);
  return undefined;
}
