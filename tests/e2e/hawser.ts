import { fileURLToPath } from "node:url";
import type { ConnectReport } from "../../src/cli/connect_report.ts";
import { selfCommand } from "../../src/platform/self.ts";

const root = new URL("../../", import.meta.url);

/** A home of its own for hawsers, so that they see each other and nobody else's. Removed when disposed of. */
export class Home implements AsyncDisposable {
  private constructor(readonly folder: string, readonly env: Readonly<Record<string, string>>) {}

  /** `env` is put over this process's environment; an empty value removes a variable. */
  static async open(env: Readonly<Record<string, string>> = {}): Promise<Home> {
    const folder = await Deno.makeTempDir({ prefix: "hawser-e2e-" });
    const { HAWSER_DEPS = "jsr", ...rest } = Deno.env.toObject();
    const kept = Object.entries(rest).filter(([name]) => !/^(XDG|HAWSER)_/.test(name));
    const own = { HOME: folder, USERPROFILE: folder, DENO_DIR: await denoFolder(), HAWSER_DEPS, NO_COLOR: "1" };
    const all = Object.entries({ ...Object.fromEntries(kept), ...own, ...env }).filter(([, value]) => value !== "");
    return new Home(folder, Object.fromEntries(all));
  }

  /** The same home with another environment. */
  with(env: Readonly<Record<string, string>>): Pick<Home, "folder" | "env"> {
    return { folder: this.folder, env: { ...this.env, ...env } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** How a hawser ended and what it said. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs hawser to its end, which has to come within `limit` milliseconds, by default 30 s. */
export async function runHawser(
  home: Pick<Home, "env">,
  args: readonly string[],
  limit = 30_000,
): Promise<Ended> {
  const running = new RunningHawser(home, args);
  const timer = setTimeout(() => running.kill("SIGKILL"), limit);
  const ended = await running.ended;
  clearTimeout(timer);
  return ended;
}

/** Starts `hawser connect` on any free port and waits until it is ready. */
export async function connectHawser(home: Pick<Home, "env">, args: readonly string[]): Promise<Connected> {
  const running = new RunningHawser(home, ["connect", "--port", "0", "-o", "json", ...args]);
  return { running, report: JSON.parse(await running.line()) };
}

/** A `hawser connect` that is ready. */
export interface Connected {
  readonly running: RunningHawser;
  readonly report: ConnectReport;
}

/** A hawser from source in a process of its own. Interrupted when disposed of. */
export class RunningHawser implements AsyncDisposable {
  /** Resolves once it has ended. */
  readonly ended: Promise<Ended>;
  readonly #child: Deno.ChildProcess;
  readonly #args: readonly string[];
  readonly #changed = new Set<() => void>();
  #stdout = "";
  #stderr = "";
  #over = false;

  constructor({ env }: Pick<Home, "env">, args: readonly string[]) {
    const command = selfCommand(args, {
      standalone: false,
      program: Deno.execPath(),
      mainModule: new URL("main.ts", root).href,
      denoConfig: env.HAWSER_DEPS === "offline" ? fileURLToPath(new URL("deno.offline.json", root)) : undefined,
    });
    this.#args = args;
    this.#child = new Deno.Command(command.program, {
      args: [...command.args],
      clearEnv: true,
      env: { ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.ended = this.#watch();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** All it has said on stderr up to now. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Its first line on stdout. Rejects with what it said where it ends without. */
  async line(): Promise<string> {
    await this.#until(() => this.#stdout.includes("\n"), 30_000, "a line on stdout");
    return this.#stdout.slice(0, this.#stdout.indexOf("\n"));
  }

  /** Waits until it says something on stderr, from character `from` on; how many milliseconds that took. */
  async says(what: RegExp, limit: number, from = 0): Promise<number> {
    const started = performance.now();
    await this.#until(() => what.test(this.#stderr.slice(from)), limit, String(what));
    return performance.now() - started;
  }

  kill(signal: Deno.Signal): void {
    if (!this.#over) this.#child.kill(signal);
  }

  /** Sends a signal, Ctrl-C's by default, and waits for the end. */
  async stop(signal: Deno.Signal = "SIGINT"): Promise<Ended> {
    this.kill(signal);
    return await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #watch(): Promise<Ended> {
    const [{ code }] = await Promise.all([
      this.#child.status,
      this.#collect(this.#child.stdout, (text) => this.#stdout += text),
      this.#collect(this.#child.stderr, (text) => this.#stderr += text),
    ]);
    this.#over = true;
    this.#tell();
    return { code, stdout: this.#stdout, stderr: this.#stderr };
  }

  async #collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>, take: (text: string) => void): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      take(text);
      this.#tell();
    }
  }

  #tell(): void {
    for (const changed of [...this.#changed]) changed();
  }

  async #until(condition: () => boolean, limit: number, what: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (why: string) =>
      reject(new Error(`hawser ${this.#args.join(" ")} ${why} ${what}:\n${this.#stderr}${this.#stdout}`));
    const look = () => {
      if (condition()) resolve();
      else if (this.#over) fail("ended without");
    };
    this.#changed.add(look);
    const timer = setTimeout(() => fail(`took more than ${limit} ms for`), limit);
    try {
      look();
      await promise;
    } finally {
      clearTimeout(timer);
      this.#changed.delete(look);
    }
  }
}

let found: string | undefined;

/** Deno's cache, which moves with HOME unless it is named. */
async function denoFolder(): Promise<string> {
  if (found === undefined) {
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
    const { denoDir }: { denoDir: string } = JSON.parse(new TextDecoder().decode(stdout));
    found = denoDir;
  }
  return found;
}
