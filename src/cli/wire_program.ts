import type { Environment } from "../platform/proxy_settings.ts";
import { programVariables, type ProxyAddress, withFormer } from "../wiring/variables.ts";
import type { CliDeps } from "./deps.ts";

/** Where the session is that a program is wired to. */
export interface ProgramReach {
  readonly proxy: ProxyAddress;
  readonly namespace: string;
}

/** How a program is wired. */
export interface Wiring {
  /** What to set, beside what `env` has; undone by `unwired`. */
  readonly variables: Readonly<Record<string, string>>;
  /** What could not be done and what is done instead, a sentence each without a period. */
  readonly remarks: readonly string[];
}

/** Wires a program and all it starts to a session. `env` is what it would have otherwise. */
export function wireProgram(
  { proxy, namespace }: ProgramReach,
  env: Environment,
  { os }: Pick<CliDeps, "os">,
): Promise<Wiring> {
  const variables = { ...programVariables(proxy, env, os), ...springVariables(namespace, env) };
  return Promise.resolve({ variables: withFormer(variables, env, os), remarks: [] });
}

/** Spring Cloud Kubernetes: services by name, not by their pods' addresses, in the namespace that is in use. */
function springVariables(namespace: string, env: Environment): Record<string, string> {
  const wanted = {
    SPRING_CLOUD_KUBERNETES_LOADBALANCER_MODE: "SERVICE",
    SPRING_CLOUD_KUBERNETES_CLIENT_NAMESPACE: namespace,
  };
  return Object.fromEntries(Object.entries(wanted).filter(([name]) => env[name] === undefined));
}
