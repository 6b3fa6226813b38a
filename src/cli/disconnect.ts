import { Failure } from "../platform/failure.ts";
import { endProcess, isAlive } from "../platform/process.ts";
import type { CliDeps } from "./deps.ts";
import type { DisconnectInvocation } from "./grammar/disconnect.ts";
import { chooseSession, type RunningSession, runningSessions } from "./running_sessions.ts";
import { askSession } from "./session_control.ts";
import { SessionNotes } from "./session_note.ts";
import { UsageError } from "./usage_error.ts";

const patience = 5000;

/** `hawser disconnect`. JSON: `{ ended: string[] }`, the names of the sessions that are gone now. */
export async function disconnect({ options, words: [name] }: DisconnectInvocation, deps: CliDeps): Promise<number> {
  if (options.all && name !== undefined) throw new UsageError(`Either "${name}" or --all, not both`, "disconnect");
  const sessions = options.all ? await runningSessions(deps) : [await chooseSession(name, deps)];
  for (const session of sessions) await end(session, deps);
  const ended = sessions.map(({ note }) => note.name);
  if (options.output === "json") deps.terminal.printJson({ ended });
  else deps.terminal.print(ended.length === 0 ? "No session runs" : `Ended: ${ended.join(", ")}`);
  return 0;
}

/** Asks the session to end; a process that does not within a few seconds is ended by the system. */
async function end({ note }: RunningSession, { clock, paths }: CliDeps): Promise<void> {
  await askSession(note, "/stop", AbortSignal.timeout(patience));
  const deadline = clock.now() + patience;
  while (isAlive(note.pid)) {
    if (clock.now() > deadline && !await endProcess(note.pid)) {
      throw new Failure(`Session "${note.name}" does not end: end its process ${note.pid} by hand`);
    }
    await clock.sleep(50);
  }
  await new SessionNotes(paths().state).remove(note);
}
