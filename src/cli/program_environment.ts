import { environment } from "../platform/environment.ts";
import { withVariables } from "../wiring/variables.ts";
import type { Options } from "./command.ts";
import type { CliDeps } from "./deps.ts";
import type { wiringFlags } from "./grammar/wiring_flags.ts";
import { type ProgramReach, wireProgram } from "./wire_program.ts";
import { type WorkloadReach, workloadVariables } from "./workload_variables.ts";
import type { WorkloadWishes } from "./workload_wishes.ts";

/** What a program that `run` starts is to have. */
export interface ProgramWishes {
  /** The program's name, as it was given. */
  readonly program: string;
  readonly wiring: Options<typeof wiringFlags>;
  readonly workload: WorkloadWishes;
}

/** Where it gets it from. */
export interface ProgramSession extends ProgramReach {
  /** Undefined where another process holds the session. */
  readonly workload: WorkloadReach | undefined;
}

/** The whole environment of a program. Disposing of it removes the files that it names. */
export interface ProgramEnvironment extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  /** What of it differs from the user's own. */
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * The user's own variables; over them those of its container; over them the wiring, which adds to some and replaces the proxies. What `--set` names
 * counts also against those. All that is worth knowing is told as events. Rejects as {@linkcode workloadVariables} does.
 */
export async function programEnvironment(
  { program, wiring, workload }: ProgramWishes,
  session: ProgramSession,
  deps: CliDeps,
  signal: AbortSignal,
): Promise<ProgramEnvironment> {
  const { os, log } = deps;
  const brought = await workloadVariables(workload, program, session.workload, deps, signal);
  try {
    const before = withVariables(deps.env, brought.variables, os);
    const { variables, remarks } = await wireProgram(wiring, session, before, deps);
    for (const remark of [...brought.remarks, ...remarks]) log.event(remark);
    const wired = withVariables(before, variables, os);
    // A layer that only adds to a variable has kept what was set.
    const all = environment(wired, os);
    const replaced = [...workload.set].filter(([name, value]) => value === "" || !all[name]?.includes(value));
    const set = Object.fromEntries(replaced);
    return {
      env: withVariables(wired, set, os),
      variables: withVariables(withVariables(brought.variables, variables, os), set, os),
      [Symbol.asyncDispose]: () => brought[Symbol.asyncDispose](),
    };
  } catch (error) {
    await brought[Symbol.asyncDispose]();
    throw error;
  }
}
