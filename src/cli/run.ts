import type { InterruptWatch } from "../platform/interrupt.ts";
import { runProgram } from "../platform/program.ts";
import { withVariables } from "../wiring/variables.ts";
import { openConnection } from "./connection.ts";
import { connectionOptions } from "./connection_options.ts";
import type { CliDeps } from "./deps.ts";
import type { RunInvocation } from "./grammar/run.ts";
import { inboundWishes } from "./inbound_wishes.ts";
import { runInbound } from "./run_inbound.ts";
import { chooseSession } from "./running_sessions.ts";
import { UsageError } from "./usage_error.ts";
import { type ProgramReach, wireProgram } from "./wire_program.ts";

/**
 * `hawser run`. Prints nothing of its own on stdout; exits with the program's status, 127 where there is no such program, 126 where it cannot be run, 1 where it
 * is not started because traffic cannot be brought in, or a service cannot be put back.
 */
export async function run({ options, words }: RunInvocation, deps: CliDeps): Promise<number> {
  const wishes = inboundWishes(options);
  if (options.session !== undefined) {
    if (wishes.length > 0) {
      throw new UsageError("--exchange and --mesh connect on their own: leave --session out", "run");
    }
    const { note } = await chooseSession(options.session, deps);
    return await start(words, await environmentOf(options, { proxy: note, namespace: note.namespace }, deps), deps);
  }
  const interrupts = deps.watchInterrupts();
  deps.terminal.progress("Connecting…");
  try {
    const connection = await openConnection(await connectionOptions(options), deps, interrupts.signal);
    try {
      const { proxy, directory: { namespace } } = connection;
      const env = await environmentOf(options, { proxy, namespace }, deps);
      if (wishes.length > 0) return await runInbound(words, wishes, env, connection, interrupts, deps);
      return await start(words, env, deps, interrupts);
    } finally {
      await connection.close();
    }
  } finally {
    interrupts.close();
  }
}

/** The whole environment of the program. */
async function environmentOf(
  options: RunInvocation["options"],
  reach: ProgramReach,
  deps: CliDeps,
): Promise<Readonly<Record<string, string>>> {
  const { variables, remarks } = await wireProgram(options, reach, deps.env, deps);
  for (const remark of remarks) deps.log.event(remark);
  return withVariables(deps.env, variables, deps.os);
}

async function start(
  [program = "", ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  deps: CliDeps,
  interrupts?: InterruptWatch,
): Promise<number> {
  await deps.terminal.flush();
  return await runProgram(program, args, { env, os: deps.os, interrupts });
}
