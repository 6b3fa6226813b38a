/** How a command ended. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it was ended because its time was up. */
  readonly late: boolean;
}

/** Where, with what and for how long a command runs. */
export interface CommandOptions {
  readonly cwd?: string;
  /** The whole environment; by default this process's. */
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds after which it is ended. Default 600. */
  readonly seconds?: number;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** Runs a command to its end, by `timeout`, which ends what it has started as well. */
export async function command(
  [program = "", ...args]: readonly string[],
  { cwd, env, seconds = 600, signal }: CommandOptions = {},
): Promise<CommandResult> {
  const child = new Deno.Command("timeout", {
    args: ["--kill-after=5", String(seconds), program, ...args],
    cwd,
    clearEnv: env !== undefined,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal,
  }).spawn();
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr), late: code === 124 || code === 137 };
}

/** The same for a command that has to succeed: gives what it wrote on stdout, throws with the end of what it said. */
export async function succeed(words: readonly string[], options?: CommandOptions): Promise<string> {
  const { code, stdout, stderr, late } = await command(words, options);
  if (code === 0) return stdout;
  const said = `${stderr}${stdout}`.trim().split("\n").slice(-20).join("\n");
  throw new Error(`${words.join(" ")} ${late ? "took too long" : `ended with ${code}`}:\n${said}`);
}
