import { withoutProxies } from "./without_proxies.ts";

/** Programs that somebody else wrote, and the Debian package each comes with. */
const packages = {
  curl: "curl",
  git: "git",
  go: "golang-go",
  java: "openjdk-17-jdk-headless",
  javac: "openjdk-17-jdk-headless",
  keytool: "openjdk-17-jdk-headless",
  mariadb: "mariadb-client",
  nc: "netcat-openbsd",
  node: "nodejs",
  npx: "npm",
  proxychains4: "proxychains4",
  psql: "postgresql-client",
  python3: "python3",
  "redis-benchmark": "redis-tools",
  "redis-cli": "redis-tools",
  socat: "socat",
  tar: "tar",
  timeout: "coreutils",
  wget: "wget",
} as const;

/** One of the programs. */
export type Program = keyof typeof packages;

/** How a program is started. */
export interface ClientOptions {
  /** Over this process's environment, which is taken without its proxies. */
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input, as it comes. Default none. */
  readonly input?: string | AsyncIterable<string>;
  readonly cwd?: string;
  /** The exit status that is expected. Default 0. */
  readonly code?: number;
}

/** Milliseconds within which every program has to have ended. */
const limit = 60_000;

/** Runs a program and gives what it writes on stdout; throws with what it said when it ends otherwise than expected. */
export async function clientBytes(
  program: Program,
  args: readonly string[],
  { env = {}, input = "", cwd, code: expected = 0 }: ClientOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const child = start(program, {
    args: [...args],
    clearEnv: true,
    env: { ...withoutProxies(Deno.env.toObject()), ...env },
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(limit),
  });
  const [{ code, stdout, stderr }] = await Promise.all([child.output(), feed(child.stdin, input)]);
  if (code === expected) return stdout;
  const text = new TextDecoder();
  throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${text.decode(stderr)}${text.decode(stdout)}`);
}

/** The same as text without the white space around it. */
export async function client(program: Program, args: readonly string[], options?: ClientOptions): Promise<string> {
  return new TextDecoder().decode(await clientBytes(program, args, options)).trim();
}

function start(program: Program, options: Deno.CommandOptions): Deno.ChildProcess {
  try {
    return new Deno.Command(program, options).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw notInstalled(program);
  }
}

/** Says which package is missing. */
export function notInstalled(program: Program): Error {
  return new Error(`"${program}" is not installed: apt-get install ${packages[program]}`);
}

async function feed(stdin: WritableStream<Uint8Array>, input: string | AsyncIterable<string>): Promise<void> {
  const text = ReadableStream.from(typeof input === "string" ? [input] : input);
  // A program may end without having read all of it.
  await text.pipeThrough(new TextEncoderStream()).pipeTo(stdin).catch(() => {});
}
