import type { Command, GivenValues } from "./command.ts";
import type { CliDeps } from "./deps.ts";
import type { Completable, Flag, Flags } from "./flag.ts";
import { globalFlags } from "./global_flags.ts";
import type { CompleteInvocation } from "./grammar/complete.ts";
import { parse } from "./parse.ts";
import { settableFlags, withSettings } from "./settings.ts";

/** A word that could stand at the cursor. */
export interface Candidate {
  readonly word: string;
  /** One line; may be empty. */
  readonly what: string;
}

/** What a look-up of candidates knows about the line so far. */
export interface CompletionLine {
  /** What the flags before the cursor gave, settings included. */
  readonly given: GivenValues;
  /** The words of the command before the cursor. */
  readonly words: readonly string[];
  /** What there is of the word at the cursor. */
  readonly current: string;
}

/** Looks candidates up, in the cluster or on the disk. May reject: then there are none. */
export type CompletionSource = (
  line: CompletionLine,
  deps: CliDeps,
  signal: AbortSignal,
) => Promise<readonly Candidate[]>;

/** A source for all that cannot be answered from the table alone. */
export type CompletionSources = Readonly<Record<Exclude<Completable, "command" | "file">, CompletionSource>>;

/** How long somebody who pressed Tab waits at most, in milliseconds. */
const patience = 1500;

/** `hawser __complete`, see `completionScripts`. Silent on every failure. */
export async function complete(
  { words, options }: CompleteInvocation,
  deps: CliDeps & { readonly sources?: CompletionSources },
): Promise<number> {
  const line = options.newWord ? [...words, ""] : words;
  const found = await candidates(line, deps).catch(() => []);
  if (found === "files") deps.terminal.print(":files");
  else for (const { word, what } of found) deps.terminal.print(what === "" ? word : `${word}\t${what}`);
  return 0;
}

async function candidates(
  line: readonly string[],
  deps: CliDeps & { readonly sources?: CompletionSources },
): Promise<readonly Candidate[] | "files"> {
  const current = line.at(-1) ?? "";
  const before = line.slice(0, -1);
  const visible = deps.table.filter((command) => !command.hidden);
  const read = readLine(before, deps.table);
  if (!read) return [];
  const { command, words, given, pending, program } = read;
  if (program) return "files";
  const flags: Flags = { ...command?.flags, ...globalFlags };
  const find = async (flag: Pick<Flag, "choices" | "complete">, word: string, prefix: string) => {
    if (flag.complete === "file") return "files";
    const all = flag.choices.length > 0
      ? flag.choices.map((choice) => ({ word: choice, what: "" }))
      : await lookUp(flag.complete, { given, words, current: word }, command, deps);
    return all.filter((each) => each.word.startsWith(word)).map((each) => ({ ...each, word: prefix + each.word }));
  };
  if (pending) return await find(pending, current, "");
  const [, name, value] = /^--([^=]+)=(.*)$/s.exec(current) ?? [];
  if (name !== undefined && value !== undefined) {
    const flag = flags[name];
    return flag ? await find(flag, value, `--${name}=`) : [];
  }
  if (current.startsWith("-")) {
    return Object.entries(flags).filter(([, flag]) => !flag.hidden)
      .map(([flag, { summary }]) => ({ word: `--${flag}`, what: summary })).filter(({ word }) =>
        word.startsWith(current)
      );
  }
  if (!command) {
    return visible.map((each) => ({ word: each.name, what: each.summary })).filter(({ word }) =>
      word.startsWith(current)
    );
  }
  if (command.words.program && current === "" && words.length === 0) {
    return [{ word: "--", what: "the program follows" }];
  }
  if (words.length >= command.words.most) return [];
  const choices = words.length === 0 ? command.words.choices ?? [] : [];
  return await find({ choices, complete: command.words.complete }, current, "");
}

interface LineRead extends Omit<CompletionLine, "current"> {
  readonly command: Command | undefined;
  /** The flag that the last word names and that still wants its value. */
  readonly pending: Flag | undefined;
  /** Whether the words of another program have begun. */
  readonly program: boolean;
}

/** Reads what stands before the cursor, but for a last flag that wants its value; undefined where it makes no sense. */
function readLine(before: readonly string[], table: readonly Command[]): LineRead | undefined {
  const attempt = (words: readonly string[]) => {
    try {
      return parse([...words, "--help"], table); // with --help, missing words are no mistake
    } catch {
      return undefined;
    }
  };
  const last = before.at(-1) ?? "";
  const shorter = attempt(before.slice(0, -1));
  const flags: Flags = { ...shorter?.command?.flags, ...globalFlags };
  const pending = /^-/.test(last)
    ? Object.entries(flags).find(([name, flag]) =>
      flag.value !== undefined && (last === `--${name}` || flag.short !== undefined && last === `-${flag.short}`)
    )?.[1]
    : undefined;
  const parsed = pending ? shorter : attempt(before);
  if (!parsed) return undefined;
  const { command, given, words } = parsed;
  // "--help" was taken for a word of the program, or "--" came before it
  const program = command?.words.program === true && words.at(-1) === "--help";
  return { command, given, words, pending, program };
}

async function lookUp(
  what: Completable | undefined,
  line: CompletionLine,
  command: Command | undefined,
  deps: CliDeps & { readonly sources?: CompletionSources },
): Promise<readonly Candidate[]> {
  if (what === undefined || what === "file") return [];
  if (what === "command") {
    return deps.table.filter((each) => !each.hidden).map((each) => ({ word: each.name, what: each.summary }));
  }
  const given = withSettings(
    line.given,
    { ...command?.flags, ...globalFlags },
    settableFlags(deps.table).keys(),
    deps.env,
    deps.settings,
  );
  const sources = deps.sources ?? (await import("./completion_sources.ts")).completionSources;
  const signal = AbortSignal.timeout(patience);
  const late = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  );
  return await Promise.race([sources[what]({ ...line, given }, deps, signal), late]);
}
