import type { Clock } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { endProcess, isAlive } from "../platform/process.ts";
import { WindowsProxy } from "../platform/windows_proxy.ts";
import type { CliDeps } from "./deps.ts";
import type { DisconnectInvocation } from "./grammar/disconnect.ts";
import { chooseSession, type RunningSession, runningSessions } from "./running_sessions.ts";
import { askSession } from "./session_control.ts";
import { type SessionNote, SessionNotes } from "./session_note.ts";
import { UsageError } from "./usage_error.ts";

const patience = 5000;

/** `hawser disconnect`. JSON: `{ ended: string[] }`, the names of the sessions that are gone now. */
export async function disconnect({ options, words: [name] }: DisconnectInvocation, deps: CliDeps): Promise<number> {
  if (options.all && name !== undefined) throw new UsageError(`Either "${name}" or --all, not both`, "disconnect");
  const sessions = options.all
    ? await runningSessions(deps)
    : [await chooseSession(name ?? options.session, deps, "name one, or say --all")];
  for (const session of sessions) await end(session, deps);
  const ended = sessions.map(({ note }) => note.name);
  if (options.output === "json") deps.terminal.printJson({ ended });
  else deps.terminal.print(ended.length === 0 ? "No session runs" : `Ended: ${ended.join(", ")}`);
  return 0;
}

/** Asks the session to end; where it does not within a few seconds, its process is ended by the system. */
async function end({ note }: RunningSession, { os, clock, paths }: CliDeps): Promise<void> {
  const notes = new SessionNotes(paths().state);
  await askSession(note, "/stop", AbortSignal.timeout(patience));
  if (!await gone(note, notes, clock)) {
    await endProcess(note.pid);
    if (!await gone(note, notes, clock)) {
      throw new Failure(`Session "${note.name}" does not end: end its process ${note.pid} by hand`);
    }
  }
  await notes.remove(note);
  if (os === "windows") await new WindowsProxy(paths().state).giveBack(note.id); // what it could not put back itself
}

/** Waits a few seconds for a session to end: it removes its note last. A process killed without that may stay visible until its parent looks. */
async function gone(note: SessionNote, notes: SessionNotes, clock: Clock): Promise<boolean> {
  const deadline = clock.now() + patience;
  while (isAlive(note.pid) && await notes.has(note)) {
    if (clock.now() > deadline) return false;
    await clock.sleep(25);
  }
  return true;
}
