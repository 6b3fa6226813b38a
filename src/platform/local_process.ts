import { createHash } from "node:crypto";
import { join } from "node:path";
import { readFileIfAny, writePrivateFile } from "./private_file.ts";
import { isAlive } from "./process.ts";
import { readProc } from "./read_proc.ts";

/** What tells this machine from others, and its processes from each other. */
export interface LocalProcessOptions {
  readonly os: typeof Deno.build.os;
  /** Default: this machine's name. */
  readonly host?: string;
  /** The state folder of the user, see `userPaths`. Not used on Linux. */
  readonly state: () => string;
}

interface Mark {
  readonly host: string;
  readonly machine: string;
  readonly pid: number;
}

/** This process, as others on the same machine can tell it. */
export class LocalProcess {
  readonly #own: Mark;
  readonly #isAlive: (pid: number) => boolean;

  constructor(own: Mark, alive: (pid: number) => boolean = isAlive) {
    this.#own = own;
    this.#isAlive = alive;
  }

  /** Undefined where nothing tells this machine from another that has the same name. Never rejects. */
  static async open({ os, host = Deno.hostname(), state }: LocalProcessOptions): Promise<LocalProcess | undefined> {
    try {
      const id = os === "linux" ? await pidNamespace() : await keptId(join(state(), "machine"));
      const machine = createHash("sha256").update(id).digest("hex").slice(0, 16);
      return new LocalProcess({ host, machine, pid: Deno.pid });
    } catch {
      return undefined;
    }
  }

  /** One line that says which process this is. */
  get mark(): string {
    const { host, machine, pid } = this.#own;
    return JSON.stringify({ host, machine, pid });
  }

  /** Whether a mark is that of a process of this machine that is no more. False where that cannot be told, as where another process has its id by now. */
  isGone(mark: string | undefined): boolean {
    let theirs: Partial<Mark> | null;
    try {
      theirs = JSON.parse(mark ?? "null");
    } catch {
      return false; // somebody has edited it
    }
    const { host, machine, pid } = theirs ?? {};
    if (host !== this.#own.host || machine !== this.#own.machine) return false;
    return typeof pid === "number" && Number.isSafeInteger(pid) && pid > 0 && !this.#isAlive(pid);
  }
}

/** Containers of one host may share names and folders, but not this: ids of processes mean the same within one namespace of one boot alone. */
async function pidNamespace(): Promise<string> {
  const boot = await readProc("/proc/sys/kernel/random/boot_id");
  // As with readProc: Deno itself reads no links there unless it may do everything.
  const readlink = new Deno.Command("readlink", { args: ["/proc/self/ns/pid"], stdin: "null", stderr: "null" });
  const namespace = new TextDecoder().decode((await readlink.output()).stdout);
  if (boot === "" || namespace === "") throw new Error("/proc does not say where this is");
  return `${boot.trim()} ${namespace.trim()}`;
}

async function keptId(path: string): Promise<string> {
  const kept = await readFileIfAny(path);
  if (kept) return kept;
  const fresh = crypto.randomUUID();
  await writePrivateFile(path, fresh);
  return fresh;
}
