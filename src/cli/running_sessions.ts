import { Failure } from "../platform/failure.ts";
import { isAlive } from "../platform/process.ts";
import type { CliDeps } from "./deps.ts";
import { didYouMean } from "../platform/nearest.ts";
import { askSession } from "./session_control.ts";
import { type SessionNote, SessionNotes } from "./session_note.ts";

/** A session that has just shown that it lives. */
export interface RunningSession {
  readonly note: SessionNote;
  /** Its `/status` page. */
  readonly status: Readonly<Record<string, unknown>>;
}

/** What finding sessions takes. */
export interface SessionsDeps extends Pick<CliDeps, "paths"> {
  readonly ask?: typeof askSession;
  readonly alive?: typeof isAlive;
}

const patience = 1500;

/**
 * Sessions of this user that answer for themselves, by name. The notes of those whose process is gone, or whose port answers for another
 * session now, are swept; one that is merely slow is left out and keeps its note.
 */
export async function runningSessions(deps: SessionsDeps): Promise<RunningSession[]> {
  const notes = new SessionNotes(deps.paths().state);
  const { ask = askSession, alive = isAlive } = deps;
  const found = await Promise.all((await notes.all()).map(async (note) => {
    const status = alive(note.pid) ? await ask(note, "/status", AbortSignal.timeout(patience)) : undefined;
    if (isObject(status) && status.session === note.id) return [{ note, status }];
    if (!alive(note.pid) || isObject(status)) await notes.remove(note);
    return [];
  }));
  return found.flat();
}

/**
 * The session a command is about: the one called `name`, else the only one. Throws a {@linkcode Failure} that lists the choices where there
 * are several, with `how` to name one, and says how to start one where there is none.
 */
export async function chooseSession(
  name: string | undefined,
  deps: SessionsDeps,
  how = "name one with --session",
): Promise<RunningSession> {
  const sessions = await runningSessions(deps);
  const names = sessions.map(({ note }) => note.name);
  if (name !== undefined) {
    const found = sessions.find(({ note }) => note.name === name);
    if (found) return found;
    const others = names.length === 0 ? " None runs: start one with hawser connect" : ` Running: ${names.join(", ")}`;
    throw new Failure(`No session "${name}" runs.${didYouMean(name, names)}${others}`);
  }
  const [only, second] = sessions;
  if (!only) throw new Failure("No session runs: start one with hawser connect, in another terminal or with --detach");
  if (second) {
    const list = sessions.map(({ note }) =>
      `${note.name} (${note.context}, namespace ${note.namespace}, port ${note.port})`
    );
    throw new Failure(`Several sessions run: ${how}. ${list.join("; ")}`);
  }
  return only;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
