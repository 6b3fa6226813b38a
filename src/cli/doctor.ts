import { type Access, AccessError } from "../cluster/access.ts";
import { type AccessOptions, openAccess } from "../cluster/open_access.ts";
import { openApi } from "../cluster/open_api.ts";
import type { CommandWithRights } from "../cluster/permissions.ts";
import { roleFor } from "../cluster/role_for.ts";
import { accessOptions } from "./connection_options.ts";
import type { CliDeps } from "./deps.ts";
import { checkKubeconfig } from "./doctor/check_kubeconfig.ts";
import { checkIsolation } from "./doctor/check_isolation.ts";
import { checkMachine } from "./doctor/check_machine.ts";
import { checkPermissions } from "./doctor/check_permissions.ts";
import { checkServer } from "./doctor/check_server.ts";
import { checkStreaming } from "./doctor/check_streaming.ts";
import { failed, type Finding } from "./doctor/finding.ts";
import type { DoctorInvocation } from "./grammar/doctor.ts";
import type { Terminal } from "./terminal.ts";

/** Milliseconds for all that is asked of the cluster. */
const patience = 30_000;

/** `hawser doctor`. JSON: `{ findings: { subject, state: "ok"|"warn"|"fail", what, next }[] }`. Exits with 1 where something fails. */
export async function doctor({ options }: DoctorInvocation, deps: CliDeps): Promise<number> {
  const { terminal, env, clock, log } = deps;
  const wanted = accessOptions(options);
  const agents: CommandWithRights[] = [
    ...options.inbound ? ["exchange"] as const : [],
    ...options.scale ? ["exchange --mode scale"] as const : [],
    ...options.ingress ? ["preview --external ingress"] as const : [],
    ...options.environment ? ["run --env-from"] as const : [],
    ...options.relay ? ["relay"] as const : [],
  ];
  if (options.rbac) {
    const { namespace } = await openAccess(wanted, { env, clock, log });
    terminal.print(`${howToBind(namespace)}\n${roleFor(["forward", ...agents], { namespace }).trimEnd()}`);
    return 0;
  }
  const interrupts = deps.watchInterrupts();
  try {
    const findings: Finding[] = [];
    const tell = (group: readonly Finding[]) => {
      findings.push(...group);
      if (options.output === "text") { for (const finding of group) terminal.print(line(finding, terminal)); }
    };
    tell(await checkKubeconfig(wanted, env));
    if (!findings.some(({ state }) => state === "fail")) {
      const access = await openUsable(wanted, deps, tell);
      const signal = AbortSignal.any([interrupts.signal, AbortSignal.timeout(patience)]);
      if (access) await checkCluster(access, agents, deps, tell, signal);
      interrupts.signal.throwIfAborted();
    }
    tell(await checkMachine(deps));
    if (deps.os === "linux") tell([await checkIsolation(deps)]);
    if (options.output === "json") terminal.printJson({ findings });
    return findings.some(({ state }) => state === "fail") ? 1 : 0;
  } finally {
    interrupts.close();
  }
}

/** What to do with the Role, as YAML comments. */
function howToBind(namespace: string): string {
  return [
    "# What hawser needs. An administrator applies this file, and binds it to whoever is to use it:",
    "#   kubectl apply -f FILE",
    `#   kubectl create rolebinding hawser-NAME --role=hawser --user=USER -n ${namespace}`,
    "# USER is what the API server calls them: kubectl auth whoami. A whole team: --group=GROUP instead of --user.",
  ].join("\n");
}

/** A kubeconfig that was found may still be of no use: a file it names is missing, its server is no URL. That is a finding, too. */
async function openUsable(
  wanted: AccessOptions,
  { env, clock, log }: CliDeps,
  tell: (findings: readonly Finding[]) => void,
): Promise<Access | undefined> {
  try {
    return await openAccess(wanted, { env, clock, log });
  } catch (error) {
    if (!(error instanceof AccessError)) throw error;
    tell([failed(error.kind, error)]);
  }
}

/** What needs the API server; once it cannot be reached, the rest would only say so again. */
async function checkCluster(
  access: Access,
  agents: readonly CommandWithRights[],
  deps: CliDeps,
  tell: (findings: readonly Finding[]) => void,
  signal: AbortSignal,
): Promise<void> {
  deps.terminal.progress(`Asking ${access.server.host}…`);
  const server = await checkServer(access, deps.clock, signal);
  tell(server);
  if (server.some(({ state }) => state === "fail")) return;
  const api = openApi(access, deps);
  try {
    tell(await checkPermissions(api, access.namespace, agents, signal));
    tell(await checkStreaming(access, api, access.namespace, signal));
  } finally {
    api.close();
  }
}

const marks = { ok: ["green", "ok  "], warn: ["yellow", "warn"], fail: ["red", "FAIL"] } as const;

function line({ subject, state, what, next }: Finding, terminal: Terminal): string {
  const [style, mark] = marks[state];
  const advice = next === "" ? "" : `\n${" ".repeat(25)}-> ${next}`;
  return `${terminal.style(style, mark)} ${subject.padEnd(19)} ${what}${advice}`;
}
