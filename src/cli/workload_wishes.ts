import { type ContainerName, parseContainerName } from "../cluster/find_container.ts";
import { Failure } from "../platform/failure.ts";
import { readFileIfAny } from "../platform/private_file.ts";
import { DotenvError, parseDotenv } from "../wiring/parse_dotenv.ts";
import { isVariableName, variableNameForm } from "../wiring/variable_name.ts";
import type { Options } from "./command.ts";
import type { workloadFlags } from "./grammar/workload_flags.ts";
import { understood } from "./understood.ts";
import { UsageError } from "./usage_error.ts";

/** What a program is to have of its container. */
export interface WorkloadWishes {
  readonly envFrom: ContainerName | undefined;
  readonly filesFrom: ContainerName | undefined;
  /** Variables of all `--env-file`, the later file winning. */
  readonly envFile: ReadonlyMap<string, string>;
  readonly set: ReadonlyMap<string, string>;
  readonly rewrite: boolean;
  readonly noRegister: boolean;
}

/** What the flags of a workload mean, before anything is connected. Rejects with a {@linkcode UsageError}, and with a {@linkcode Failure} that names file and line. */
export async function workloadWishes(options: Options<typeof workloadFlags>): Promise<WorkloadWishes> {
  const container = (flag: string, text: string | undefined) => {
    if (text === undefined) return undefined;
    // A bare word is a service to everyone else; here it is most likely a workload's name without its kind.
    if (!text.includes("/")) throw new UsageError(`${flag} wants a workload, as in deploy/${text}`);
    return understood("", () => parseContainerName(text));
  };
  const envFile = new Map<string, string>();
  for (const path of options.envFile) for (const [name, value] of await readEnvFile(path)) envFile.set(name, value);
  return {
    envFrom: container("--env-from", options.envFrom),
    filesFrom: container("--files-from", options.filesFrom),
    envFile,
    set: new Map(options.set.map(readAssignment)),
    rewrite: options.rewriteEnv,
    noRegister: options.noRegister,
  };
}

async function readEnvFile(path: string): Promise<ReadonlyMap<string, string>> {
  if (await isFolder(path)) throw new Failure(`"${path}" is a folder: --env-file wants a file of lines NAME=value`);
  const text = await readFileIfAny(path);
  if (text === undefined) throw new Failure(`There is no file "${path}" for --env-file to read`);
  try {
    return parseDotenv(text);
  } catch (error) {
    if (!(error instanceof DotenvError)) throw error;
    throw new Failure(`"${path}", line ${error.line}: ${error.message}`);
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false; // whoever reads it says what is wrong
  }
}

function readAssignment(text: string): [string, string] {
  const equals = text.indexOf("=");
  // What it is may be a secret: it is not shown.
  if (equals < 1) throw new UsageError("--set wants NAME=VALUE, with a name before the first =");
  const name = text.slice(0, equals);
  if (!isVariableName(name)) {
    throw new UsageError(`--set wants NAME=VALUE, with a name of ${variableNameForm}: "${name}" is none`);
  }
  return [name, text.slice(equals + 1)];
}
