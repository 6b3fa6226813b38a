import type { InterruptWatch } from "../platform/interrupt.ts";
import { holdProcessTree } from "../platform/hold_process_tree.ts";
import { openConnection } from "./connection.ts";
import { connectionOptions } from "./connection_options.ts";
import type { CliDeps } from "./deps.ts";
import { findIsolation } from "./find_isolation.ts";
import type { RunInvocation } from "./grammar/run.ts";
import { hooksOff } from "./grammar/isolation_flag.ts";
import { inboundWishes } from "./inbound_wishes.ts";
import { isolate } from "./isolate.ts";
import { programEnvironment } from "./program_environment.ts";
import { type ProgramRunner, programRunner } from "./program_runner.ts";
import { runInbound } from "./run_inbound.ts";
import { chooseSession } from "./running_sessions.ts";
import { UsageError } from "./usage_error.ts";
import { workloadWishes } from "./workload_wishes.ts";

/**
 * `hawser run`. Prints nothing of its own on stdout; exits with the program's status, 127 where there is no such program, 126 where it cannot be run, 1 where it
 * is not started because traffic cannot be brought in, or a service cannot be put back. On Windows, what the program has started and left running lives on where it has
 * ended by itself, and ends with us otherwise.
 */
export async function run(invocation: RunInvocation, deps: CliDeps): Promise<number> {
  const tree = holdProcessTree(deps.os); // first of all: programs that give credentials are started soon
  const status = await wireAndRun(invocation, deps);
  tree.release();
  return status;
}

async function wireAndRun({ options, words }: RunInvocation, deps: CliDeps): Promise<number> {
  const wishes = inboundWishes(options);
  const workload = await workloadWishes(options);
  const wanted = { program: words[0] ?? "", wiring: options, workload };
  if (options.session !== undefined) {
    if (wishes.length > 0) {
      throw new UsageError("--exchange and --mesh connect on their own: leave --session out", "run");
    }
    if (options.isolate !== "none") {
      throw new UsageError("--isolate connects on its own: leave --session out", "run");
    }
    if (workload.envFrom || workload.filesFrom || workload.rewrite) {
      throw new UsageError(
        "--env-from, --files-from and --rewrite-env connect on their own: leave --session out",
        "run",
      );
    }
    const { note } = await chooseSession(options.session, deps);
    const session = { proxy: note, namespace: note.namespace, workload: undefined };
    const { env } = await programEnvironment(wanted, session, deps, new AbortController().signal);
    return await start(words, env, deps, { run: programRunner(undefined, deps) });
  }
  const isolating = await findIsolation(options.isolate, deps);
  const interrupts = deps.watchInterrupts();
  deps.terminal.progress("Connecting…");
  try {
    const listen = options.listen || workload.envFrom !== undefined || workload.rewrite;
    const connection = await openConnection(await connectionOptions({ ...options, listen }), deps, interrupts.signal);
    try {
      const { proxy, directory: { namespace } } = connection;
      const isolation = isolating && await isolate(isolating, connection, deps);
      try {
        const run = programRunner(isolation, deps);
        // The network itself leads to the cluster then: hooks would only stand in its way.
        if (isolation) tellHooksOff(options, deps);
        const wiring = isolation ? { ...options, ...hooksOff } : options;
        const session = { proxy, namespace, workload: { ...connection, isolated: isolation !== undefined } };
        await using environment = await programEnvironment({ ...wanted, wiring }, session, deps, interrupts.signal);
        const { env } = environment;
        if (wishes.length > 0) return await runInbound(words, wishes, env, connection, interrupts, { ...deps, run });
        return await start(words, env, deps, { run, interrupts });
      } finally {
        await isolation?.close();
      }
    } finally {
      await connection.close();
    }
  } finally {
    interrupts.close();
  }
}

/** Only of hooks that were asked for: that others are not there either makes no difference. */
function tellHooksOff({ java, python }: RunInvocation["options"], { log }: CliDeps): void {
  const asked = [...java === "props" ? ["--java props"] : [], ...python === "hook" ? ["--python hook"] : []];
  if (asked.length === 0) return;
  log.event(
    `${asked.join(" and ")} ${asked.length > 1 ? "are" : "is"} off: the program's own network leads to the cluster`,
  );
}

async function start(
  [program = "", ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  deps: CliDeps,
  { run, interrupts }: { readonly run: ProgramRunner; readonly interrupts?: InterruptWatch },
): Promise<number> {
  await deps.terminal.flush();
  return await run(program, args, { env, os: deps.os, interrupts });
}
