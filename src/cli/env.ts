import { Failure } from "../platform/failure.ts";
import { parentShell } from "../platform/parent_shell.ts";
import { hostsFile } from "../wiring/hosts_file.ts";
import { hostsLines } from "../wiring/hosts_lines.ts";
import { type ShellForm, shellLines } from "../wiring/shell_lines.ts";
import { isVariableName } from "../wiring/variable_name.ts";
import { formerVariables, withFormer, withoutFormer } from "../wiring/variables.ts";
import type { CliDeps } from "./deps.ts";
import type { EnvForm, EnvInvocation } from "./grammar/env.ts";
import { programEnvironment } from "./program_environment.ts";
import { openSessionWorkload } from "./session_workload.ts";
import { chooseSession, type RunningSession, type SessionsDeps } from "./running_sessions.ts";
import type { SessionNote } from "./session_note.ts";
import { UsageError } from "./usage_error.ts";
import { wireProgram } from "./wire_program.ts";
import type { WorkloadReach } from "./workload_variables.ts";
import { workloadWishes } from "./workload_wishes.ts";

/** `hawser env`. JSON: an object of variables; with `--unset`, null for those to remove. */
export async function env(
  { options }: EnvInvocation,
  deps: CliDeps & Pick<SessionsDeps, "ask" | "alive"> & { readonly processEnv?: CliDeps["env"] },
): Promise<number> {
  if (options.hosts && options.unset) throw new UsageError("Either --hosts or --unset, not both", "env");
  const form: EnvForm = options.shell ?? (options.output === "json" ? "json" : await parentShell(deps.os, deps.env));
  if (options.unset) {
    const former = formerVariables(deps.processEnv ?? Deno.env.toObject(), deps.os);
    if (former.size === 0) deps.terminal.tell("Nothing to undo: this shell is not wired to a session");
    else if (form !== "jvm") deps.terminal.print(shellLines(form, former));
    return 0;
  }
  const session = await chooseSession(options.session, deps);
  const { note } = session;
  if (options.hosts) {
    printHosts(session, options.output, deps);
    return 0;
  }
  if (form === "jvm") {
    await printVmOptions(options, note, deps);
    return 0;
  }
  const isFile = form === "dotenv" || form === "vscode" || form === "intellij";
  const all = named(form, withoutFormer(await printedVariables(options, note, deps)), deps);
  const variables = isFile ? all : withFormer(all, deps.env, deps.os);
  deps.terminal.print(shellLines(form, new Map(Object.entries(variables))));
  return 0;
}

/** The variables of the wiring, and those of a container and of files that were asked for. */
async function printedVariables(
  options: EnvInvocation["options"],
  note: SessionNote,
  deps: CliDeps,
): Promise<Readonly<Record<string, string>>> {
  const workload = await workloadWishes({ ...options, rewriteEnv: false, filesFrom: undefined });
  const interrupts = deps.watchInterrupts();
  try {
    if (!workload.envFrom) return await collected(undefined);
    await using reach = await openSessionWorkload(note, options, deps, interrupts.signal);
    if (note.listeners.length === 0) {
      deps.log.event(
        `Variables of services are left out: session "${note.name}" has no local ports. Start it with hawser connect --listen`,
      );
    }
    return await collected(reach);
  } finally {
    interrupts.close();
  }

  async function collected(reach: WorkloadReach | undefined): Promise<Readonly<Record<string, string>>> {
    const session = { proxy: note, namespace: note.namespace, workload: reach };
    const wanted = { program: "", wiring: options, workload };
    await using environment = await programEnvironment(wanted, session, deps, interrupts.signal);
    return environment.variables;
  }
}

/** Without variables whose names the form cannot hold. In a shell a container's name for one could even be a command. */
function named(
  form: ShellForm,
  variables: Readonly<Record<string, string>>,
  { log }: Pick<CliDeps, "log">,
): Readonly<Record<string, string>> {
  if (form === "json" || form === "vscode") return variables;
  const isFine = form === "dotenv" || form === "intellij" ? isVariableName : isIdentifier;
  const odd = Object.keys(variables).filter((name) => !isFine(name));
  if (odd.length > 0) log.event(`Left out, because ${form} has no variables of such names: ${odd.join(", ")}`);
  return Object.fromEntries(Object.entries(variables).filter(([name]) => isFine(name)));
}

function isIdentifier(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}

/** What makes any JVM find the cluster, as one line, for where only options of the VM can be given. */
async function printVmOptions(options: EnvInvocation["options"], note: SessionNote, deps: CliDeps): Promise<void> {
  if (options.java === "off") throw new UsageError("--shell jvm prints just what --java off leaves out", "env");
  const env = { ...deps.env, JAVA_TOOL_OPTIONS: undefined }; // what the user has there every JVM gets anyway
  const reach = { proxy: note, namespace: note.namespace };
  const { variables, remarks } = await wireProgram({ ...options, node: "off", python: "off" }, reach, env, deps);
  const { JAVA_TOOL_OPTIONS: line } = variables;
  if (line === undefined) {
    throw new Failure(`There are no VM options for session "${note.name}": ${remarks.join("; ")}`);
  }
  for (const remark of remarks) deps.log.event(remark);
  deps.terminal.print(line);
  if (options.java === "props") {
    deps.terminal.tell(
      "These cover HTTP clients that look at system properties, and plain sockets; not Netty, java.net.http without them, or drivers that resolve names first: for those use --java agent",
    );
  } else if (/["']/.test(line)) {
    deps.terminal.tell("The quotes are for an IDE's field; in a shell, wire the shell instead, which covers Java too");
  }
}

/** JSON: `{ entries: [{ address, names }], rest: [{ namespace, service, port, address, localPort }] }`. */
function printHosts({ note, status }: RunningSession, output: "text" | "json", { terminal, os }: CliDeps): void {
  if (note.listeners.length === 0) {
    throw new Failure(`Session "${note.name}" has no local ports: start it with hawser connect --listen`);
  }
  const zone = typeof status.zone === "string" ? status.zone : "cluster.local";
  const file = hostsFile(note.listeners, { namespace: note.namespace, zone });
  if (output === "json") return terminal.printJson(file);
  terminal.print(hostsLines(file));
  terminal.tell(
    file.entries.length === 0
      ? "No service has all its ports at an address of its own here, so a hosts file is of no use: see hawser status"
      : `For ${
        hostsPaths[os] ?? "/etc/hosts"
      }, which only an administrator may edit. They hold while the session runs, and for the next ones`,
  );
}

const hostsPaths: Partial<Record<CliDeps["os"], string>> = { windows: "C:\\Windows\\System32\\drivers\\etc\\hosts" };
