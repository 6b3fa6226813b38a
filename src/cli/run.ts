import type { InterruptWatch } from "../platform/interrupt.ts";
import { runProgram } from "../platform/program.ts";
import { programVariables, type ProxyAddress, withVariables } from "../wiring/variables.ts";
import { openConnection } from "./connection.ts";
import { connectionOptions } from "./connection_options.ts";
import type { CliDeps } from "./deps.ts";
import type { RunInvocation } from "./grammar/run.ts";
import { inboundWishes } from "./inbound_wishes.ts";
import { runInbound } from "./run_inbound.ts";
import { chooseSession } from "./running_sessions.ts";
import { UsageError } from "./usage_error.ts";

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
    return await start(words, (await chooseSession(options.session, deps)).note, deps);
  }
  const interrupts = deps.watchInterrupts();
  deps.terminal.progress("Connecting…");
  try {
    const connection = await openConnection(await connectionOptions(options), deps, interrupts.signal);
    try {
      if (wishes.length > 0) return await runInbound(words, wishes, connection, interrupts, deps);
      return await start(words, connection.proxy, deps, interrupts);
    } finally {
      await connection.close();
    }
  } finally {
    interrupts.close();
  }
}

async function start(
  [program = "", ...args]: readonly string[],
  proxy: ProxyAddress,
  deps: CliDeps,
  interrupts?: InterruptWatch,
): Promise<number> {
  await deps.terminal.flush();
  const env = withVariables(deps.env, programVariables(proxy, deps.env, deps.os), deps.os);
  return await runProgram(program, args, { env, os: deps.os, interrupts });
}
