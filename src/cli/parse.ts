import { parseArgs } from "@std/cli/parse-args";
import type { Command, GivenValue, GivenValues } from "./command.ts";
import type { Flags } from "./flag.ts";
import { globalFlags } from "./global_flags.ts";
import { didYouMean } from "../platform/nearest.ts";
import { UsageError } from "./usage_error.ts";

/** A command line in its parts. */
export interface Parsed {
  /** Undefined when no command was named: `hawser`, `hawser --help`. */
  readonly command: Command | undefined;
  /** What flags gave; not yet read, because variables and settings may give more. */
  readonly given: GivenValues;
  readonly words: readonly string[];
}

/**
 * Takes a command line apart. Global flags may stand before the command or after it. Throws a {@linkcode UsageError} for what the
 * table does not know, with the nearest word it does know.
 */
export function parse(args: readonly string[], table: readonly Command[]): Parsed {
  const before = lex(args, globalFlags, "", true);
  const [name, ...rest] = before.words;
  if (name === undefined) return { command: undefined, given: before.given, words: [] };
  const command = table.find((each) => each.name === name);
  if (!command) {
    const visible = table.filter((each) => !each.hidden).map((each) => each.name);
    throw new UsageError(`Unknown command "${name}".${didYouMean(name, visible)}`);
  }
  const after = lex(rest, { ...command.flags, ...globalFlags }, command.name, command.words.program ?? false);
  const given = new Map(before.given);
  for (const [flag, value] of after.given) {
    const earlier = globalFlags[flag as keyof typeof globalFlags]?.repeatable ? given.get(flag)?.texts ?? [] : [];
    given.set(flag, { texts: [...earlier, ...value.texts], origin: value.origin });
  }
  if (!given.has("help")) checkWords(command, after.words);
  return { command, given, words: after.words };
}

function checkWords(command: Command, words: readonly string[]): void {
  const { usage, least, most, choices } = command.words;
  if (words.length < least) throw new UsageError(`"hawser ${command.name}" needs ${usage}`, command.name);
  if (words.length > most) {
    const extra = words[most]!;
    throw new UsageError(`"hawser ${command.name}" does not know what to do with "${extra}"`, command.name);
  }
  const [first] = words;
  if (first !== undefined && choices && !choices.includes(first)) {
    throw new UsageError(
      `"hawser ${command.name}" does not know "${first}".${didYouMean(first, choices)}`,
      command.name,
    );
  }
}

/** Splits words into what flags gave and the rest. With `stopEarly`, everything from the first word that is no flag on is the rest, `--` included unless it comes first. */
function lex(
  args: readonly string[],
  flags: Flags,
  command: string,
  stopEarly: boolean,
): { given: GivenValues; words: readonly string[] } {
  const end = args.indexOf("--");
  const own = (end < 0 ? args : args.slice(0, end)).map((word) => detached(word, flags));
  const names = Object.keys(flags);
  const switches = names.filter((name) => flags[name]!.value === undefined);
  const valued = names.filter((name) => flags[name]!.value !== undefined);
  const parsed = parseArgs(own, {
    boolean: switches,
    string: [...valued, "_"], // "_": else the word 0x10 becomes the number 16
    collect: names,
    alias: Object.fromEntries(names.flatMap((name) => flags[name]!.short ? [[name, flags[name]!.short!]] : [])),
    stopEarly,
    unknown(word, key) {
      if (key === undefined) return true; // a positional word
      const empty = /^(.*)=$/.exec(key)?.[1] ?? ""; // how the lexer sees `--port=`
      if (flags[empty]) {
        throw new UsageError(`--${empty} needs a value: ${flags[empty].value ?? "true or false"}`, command);
      }
      throw unknownFlag(word, key, flags, command);
    },
  });
  const taken = stopEarly ? own.length - parsed._.length : own.length; // words up to the one that stopped the lexer
  refuseOddSwitchValues(own.slice(0, taken), switches, command);
  refuseEmptyValues(own.slice(0, taken + 1), flags, command);
  const given = new Map<string, GivenValue>();
  for (const name of names) {
    const values: unknown = parsed[name];
    if (Array.isArray(values) && values.length > 0) given.set(name, { texts: values.map(String), origin: `--${name}` });
  }
  if (stopEarly && parsed._.length > 0) return { given, words: args.slice(taken) };
  return { given, words: [...parsed._.map(String), ...(end < 0 ? [] : args.slice(end + 1))] };
}

/** `-ojson` as kubectl has it: `-o=json`, which the lexer knows. */
function detached(word: string, flags: Flags): string {
  const [, short, value] = /^-([A-Za-z])([^=-].*)$/s.exec(word) ?? [];
  const takesValue = Object.values(flags).some((flag) => flag.short === short && flag.value !== undefined);
  return short !== undefined && takesValue ? `-${short}=${value}` : word;
}

/** The lexer takes `--listen=maybe` for true. */
function refuseOddSwitchValues(words: readonly string[], switches: readonly string[], command: string): void {
  for (const word of words) {
    const [, name = "", value] = /^--([^=]+)=(.*)$/s.exec(word) ?? [];
    if (value !== undefined && switches.includes(name) && value !== "true" && value !== "false") {
      throw new UsageError(`--${name} is on or off: "${value}" is neither true nor false`, command);
    }
  }
}

/** The lexer takes the empty word of `--port ''` for a positional one. */
function refuseEmptyValues(words: readonly string[], flags: Flags, command: string): void {
  for (const [at, word] of words.entries()) {
    const [, long, short] = /^-(?:-([^=]+)|([A-Za-z]))$/.exec(words[at - 1] ?? "") ?? [];
    const [name, flag] = Object.entries(flags).find(([name, flag]) =>
      name === long || short !== undefined && flag.short === short
    ) ?? [];
    if (word === "" && flag?.value !== undefined) {
      throw new UsageError(
        `--${name} needs a value: ${flag.value}`,
        command,
      );
    }
  }
}

function unknownFlag(word: string, key: string, flags: Flags, command: string): UsageError {
  const known = Object.entries(flags).flatMap(([name, flag]) => flag.hidden ? [] : [name]);
  const spelled = key.length === 1 ? `-${key}` : `--${key}`;
  const place = command === "" ? "" : ` for "hawser ${command}"`;
  const wanted = word.replace(/^-+/, "").replace(/=.*$/s, "");
  const hint = didYouMean(wanted, known).replace(/"(.*)"/, '"--$1"');
  return new UsageError(`Unknown flag "${spelled}"${place}.${hint}`, command);
}
