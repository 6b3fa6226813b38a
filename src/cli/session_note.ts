import { join } from "node:path";
import { Failure } from "../platform/failure.ts";
import { createPrivateFolder, readFileIfAny, writePrivateFile } from "../platform/private_file.ts";

/** A local port of a running session that stands for one service port. */
export interface ListenerNote {
  readonly namespace: string;
  readonly service: string;
  /** The service's port. */
  readonly port: number;
  /** Where it is here. */
  readonly address: string;
  readonly localPort: number;
}

/** What other commands of the same user need to know about a running connect. Kept in a file only the user can read. */
export interface SessionNote {
  /** What the user calls it; also the file's name. */
  readonly name: string;
  /** Tells this session from a later one on the same port. */
  readonly id: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly started: string;
  readonly version: string;
  readonly context: string;
  /** URL of the API server: contexts of one name in two kubeconfigs are two clusters. Undefined in notes of versions that did not write it. */
  readonly server: string | undefined;
  readonly namespace: string;
  readonly port: number;
  /** Undefined where no resolver runs. */
  readonly dnsPort: number | undefined;
  /** Opens the control pages. */
  readonly token: string;
  readonly auth: { readonly username: string; readonly password: string } | undefined;
  readonly listeners: readonly ListenerNote[];
  /** Where a detached session writes what it has to say. */
  readonly logFile: string | undefined;
}

/** Letters, digits and a few signs that every file system takes. */
export function isSessionName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name) && !/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name);
}

/** The notes in one state folder. What is written and removed through one of these happens in the order in which it is asked for. */
export class SessionNotes {
  readonly #folder: string;
  #last: Promise<unknown> = Promise.resolve();

  /** @param state the state folder of the user, see `userPaths`. */
  constructor(state: string) {
    this.#folder = join(state, "sessions");
  }

  /** Where the log of a detached session goes. */
  async logFile(name: string): Promise<string> {
    await createPrivateFolder(this.#folder);
    return join(this.#folder, `${name}.log`);
  }

  /** Removes the log of a session that has ended well and had nothing to say. Never throws. */
  async removeEmptyLog(path: string): Promise<void> {
    try {
      if ((await Deno.stat(path)).size === 0) await Deno.remove(path);
    } catch {
      // the next session of that name begins it anew
    }
  }

  /** Writes or replaces a note. Throws a `Failure` that says why it cannot. */
  write(note: SessionNote): Promise<void> {
    return this.#next(() => writePrivateFile(this.#path(note.name), `${JSON.stringify(note, null, 2)}\n`));
  }

  /** Whether the note of just this session is there. */
  async has({ name, id }: Pick<SessionNote, "name" | "id">): Promise<boolean> {
    const text = await readFileIfAny(this.#path(name));
    return text !== undefined && parseNote(text)?.id === id;
  }

  /** Removes the note of a session, unless another session of that name has replaced it. Never throws. */
  remove(note: Pick<SessionNote, "name" | "id">): Promise<void> {
    return this.#next(async () => {
      try {
        if (await this.has(note)) await Deno.remove(this.#path(note.name));
      } catch {
        // left behind, it is swept as that of a dead session
      }
    });
  }

  /** All notes, by name. Files that are no notes are removed. */
  async all(): Promise<SessionNote[]> {
    const notes: SessionNote[] = [];
    for (const name of await this.#files()) {
      const text = await readFileIfAny(join(this.#folder, name));
      if (text === undefined) continue;
      const note = parseNote(text);
      if (note) notes.push(note);
      else await Deno.remove(join(this.#folder, name)).catch(() => {});
    }
    return notes.sort((a, b) => a.name < b.name ? -1 : 1);
  }

  async #files(): Promise<string[]> {
    try {
      return (await Array.fromAsync(Deno.readDir(this.#folder))).map((entry) => entry.name).filter((name) =>
        name.endsWith(".json")
      );
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw new Failure(`Cannot read "${this.#folder}": ${error instanceof Error ? error.message : error}`);
    }
  }

  #next(step: () => Promise<void>): Promise<void> {
    const done = this.#last.then(step);
    this.#last = done.catch(() => {});
    return done;
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.json`);
  }
}

function parseNote(text: string): SessionNote | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isNote(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Checks what other commands rely on; the file is the user's own and only hawser writes it. */
function isNote(value: unknown): value is SessionNote {
  if (typeof value !== "object" || value === null) return false;
  const note: Partial<Record<keyof SessionNote, unknown>> = value;
  const texts = [note.name, note.id, note.started, note.version, note.context, note.namespace, note.token];
  return texts.every((each) => typeof each === "string") && typeof note.pid === "number" &&
    typeof note.port === "number" &&
    Array.isArray(note.listeners);
}
