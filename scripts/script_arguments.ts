// deno-lint-ignore-file no-console -- a script talks to whoever started it
import { parseArgs, type ParseArgsConfig } from "node:util";

/** What Node's parser does not check. */
export interface ScriptArgumentRules {
  /** The words there are, where not any will do. */
  readonly words?: readonly string[];
  /** Options whose values are numbers above 0. */
  readonly numbers?: readonly string[];
}

/**
 * What the command line of a script says. Ends the process with status 0 where it asks for help, after `usage`, and with 2 where there is something wrong with it, after
 * a sentence and `usage`. By Node's parser: scripts also run where there are no packages yet.
 */
export function scriptArguments<const T extends Omit<ParseArgsConfig, "args">>(
  usage: string,
  config: T,
  rules: ScriptArgumentRules = {},
): ReturnType<typeof parseArgs<T>> {
  const { args } = Deno;
  const end = args.indexOf("--");
  if ((end < 0 ? args : args.slice(0, end)).some((word) => word === "--help" || word === "-h")) {
    console.log(`Usage: ${usage}`);
    Deno.exit(0);
  }
  try {
    const parsed = parseArgs<T>({ ...config, args });
    check(parsed, rules);
    return parsed;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\nUsage: ${usage}`);
    Deno.exit(2);
  }
}

function check(
  { values, positionals }: { readonly values: object; readonly positionals: readonly string[] },
  { words, numbers = [] }: ScriptArgumentRules,
): void {
  const unknown = positionals.find((word) => words?.includes(word) === false);
  if (unknown !== undefined) throw new TypeError(`There is no "${unknown}"; there are: ${words?.join(", ")}`);
  for (const [name, value] of Object.entries(values)) {
    if (numbers.includes(name) && !(Number(value) > 0)) {
      throw new TypeError(`--${name} must be a number above 0: "${value}" is not`);
    }
  }
}
