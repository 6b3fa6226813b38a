import { findProgram, runProgram } from "../platform/program.ts";
import { withVariables } from "../wiring/variables.ts";
import type { Isolation } from "../wiring/isolation/open_isolation.ts";
import type { CliDeps } from "./deps.ts";

/** How programs are run: as they are, or isolated. */
export type ProgramRunner = typeof runProgram;

/** Runs programs within an isolation; as they are where there is none. */
export function programRunner(isolation: Isolation | undefined, { env }: Pick<CliDeps, "env">): ProgramRunner {
  if (!isolation) return runProgram;
  return async (name, args, options) => {
    const program = await findProgram(name, options);
    const own = withVariables(env, {}, options.os);
    const start = await isolation.wrap({ program, args, env: options.env }, own);
    return await runProgram(start.program, start.args, { ...options, env: start.env });
  };
}
