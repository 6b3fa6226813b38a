import { parentShell } from "../platform/parent_shell.ts";
import { jvmFlags } from "../wiring/jvm_flags.ts";
import { shellLines } from "../wiring/shell_lines.ts";
import { formerVariables } from "../wiring/variables.ts";
import type { CliDeps } from "./deps.ts";
import type { EnvForm, EnvInvocation } from "./grammar/env.ts";
import { chooseSession } from "./running_sessions.ts";
import { wireProgram } from "./wire_program.ts";

/** `hawser env`. JSON: an object of variables; with `--unset`, null for those to remove. */
export async function env(
  { options }: EnvInvocation,
  deps: CliDeps & { readonly processEnv?: CliDeps["env"] },
): Promise<number> {
  const form: EnvForm = options.shell ?? (options.output === "json" ? "json" : await parentShell(deps.os, deps.env));
  if (options.unset) {
    const former = formerVariables(deps.processEnv ?? Deno.env.toObject(), deps.os);
    if (former.size === 0) deps.terminal.tell("Nothing to undo: this shell is not wired to a session");
    else if (form !== "jvm") deps.terminal.print(shellLines(form, former));
    return 0;
  }
  const { note } = await chooseSession(options.session, deps);
  if (form === "jvm") {
    deps.terminal.print(jvmFlags(note).join(" "));
    deps.terminal.tell(
      "These cover HTTP clients that look at system properties, and plain sockets; not Netty, java.net.http without them, or drivers that resolve names first: for those use hawser forward, or connect --listen",
    );
    return 0;
  }
  const { variables, remarks } = await wireProgram(options, { proxy: note, namespace: note.namespace }, deps.env, deps);
  for (const remark of remarks) deps.log.event(remark);
  deps.terminal.print(shellLines(form, new Map(Object.entries(variables))));
  return 0;
}
