import { join } from "node:path";
import { type Clock, systemClock } from "../platform/clock.ts";
import { createPrivateFolder, readFileIfAny, writePrivateFile } from "../platform/private_file.ts";
import { isAlive } from "../platform/process.ts";

/** A profile folder in use. Disposing of it removes it; that never rejects: what is still held open is swept another time. */
export interface BrowserProfile extends AsyncDisposable {
  /** Absolute. */
  readonly path: string;
  /** Notes which process uses it, so that nobody sweeps it before that one has ended. */
  usedBy(pid: number): Promise<void>;
}

/** What the profiles use of the world. */
export interface BrowserProfilesDeps {
  readonly clock?: Pick<Clock, "sleep">;
  readonly alive?: (pid: number) => boolean;
  /** Our own. */
  readonly pid?: number;
}

const pidFile = "hawser-browser-pid";

/** Folders for browsers, each for one start of one browser, below a folder of their own. */
export class BrowserProfiles {
  readonly #folder: string;
  readonly #clock: Pick<Clock, "sleep">;
  readonly #alive: (pid: number) => boolean;
  readonly #pid: number;

  constructor(folder: string, { clock = systemClock, alive = isAlive, pid = Deno.pid }: BrowserProfilesDeps = {}) {
    this.#folder = folder;
    this.#clock = clock;
    this.#alive = alive;
    this.#pid = pid;
  }

  /** Makes a folder that only its owner may enter. Throws a `Failure`. */
  async create(): Promise<BrowserProfile> {
    const path = join(this.#folder, `${this.#pid}-${crypto.randomUUID().slice(0, 8)}`);
    await createPrivateFolder(path);
    return {
      path,
      usedBy: (pid) => writePrivateFile(join(path, pidFile), `${pid}`),
      [Symbol.asyncDispose]: () => remove(path, this.#clock),
    };
  }

  /** Removes what was left by those who were killed, unless their browser goes on. Never rejects. */
  async sweep(): Promise<void> {
    for (const name of await names(this.#folder)) {
      const path = join(this.#folder, name);
      const owner = Number(/^(\d+)-/.exec(name)?.[1]);
      const browser = Number(await readFileIfAny(join(path, pidFile)).catch(() => undefined));
      if (Number.isNaN(owner) || this.#alive(owner) || browser > 0 && this.#alive(browser)) continue;
      await remove(path, this.#clock);
    }
  }
}

async function names(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch {
    return []; // nobody has opened a browser yet
  }
}

/** Helpers of a browser write for a moment longer than it lives, on Windows so do scanners for viruses. */
async function remove(path: string, clock: Pick<Clock, "sleep">): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt++) {
    try {
      return await Deno.remove(path, { recursive: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      await clock.sleep(100);
    }
  }
}
