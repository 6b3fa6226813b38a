/** How a command ended. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** With what and for how long a command runs. */
export interface CommandOptions {
  /** The whole environment; by default this process's. */
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds after which it is ended. Default 600. */
  readonly seconds?: number;
}

/** Runs a command to its end, by `timeout`, which ends what it has started as well. */
export async function command(
  [program = "", ...args]: readonly string[],
  { env, seconds = 600 }: CommandOptions = {},
): Promise<CommandResult> {
  const child = new Deno.Command("timeout", {
    args: ["--kill-after=5", String(seconds), program, ...args],
    clearEnv: env !== undefined,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** The same for a command that has to succeed: gives what it wrote on stdout, or with `both` on stderr too, throws with the end of what it said. */
export async function succeed(
  words: readonly string[],
  { both = false, ...options }: CommandOptions & { readonly both?: boolean } = {},
): Promise<string> {
  const { code, stdout, stderr } = await command(words, options);
  if (code === 0) return both ? stderr + stdout : stdout;
  const said = `${stderr}${stdout}`.trim().split("\n").slice(-20).join("\n");
  throw new Error(`${words.join(" ")} ${code === 124 ? "took too long" : `ended with ${code}`}:\n${said}`);
}
